//! Payment instructions: every text that is known, errors with their places, what is granted, and what
//! must be refused.

#![expect(clippy::unwrap_used, reason = "an instruction that cannot be read is a failed test")]

use fps_model::ServiceError;
use fps_model::flexible_payments::ErrorCode;
use fps_model::gatekeeper::{
    Awaited, InvalidStatement, NotAGrant, Operator, ParseProblem, PaymentInstruction, Statement,
};
use proptest::prelude::*;
use refund_rules::{Grant, Grants, Operation, Role};

fn read(text: &str) -> PaymentInstruction {
    PaymentInstruction::parse(text).unwrap()
}

/// The sentence and the place.
fn refused(text: &str) -> (String, usize, usize) {
    let error = PaymentInstruction::parse(text).unwrap_err();
    (error.to_string(), error.line(), error.column())
}

#[test]
fn every_known_text_is_read_and_written_canonically() {
    let recipient = "MyRole == 'Recipient' orSay 'Role does not match';";
    let refund = "MyRole == 'Sender'; OperationType == 'Refund';";
    let rows = [
        // Recorded from the sandbox, and documented.
        ("MyRole == 'Caller';", "MyRole == 'Caller';", Grant::any(Role::Caller)),
        (recipient, recipient, Grant::any(Role::Recipient)),
        // The guide of 2007, the client fpys, and a client without blanks.
        ("MyRole == 'Sender'; OperationType = 'Refund';", refund, Grant::REFUND),
        ("MyRole == 'Sender';\nOperationType == 'Refund';", refund, Grant::REFUND),
        ("MyRole=='Caller';", "MyRole == 'Caller';", Grant::any(Role::Caller)),
        // Blanks wherever they may be.
        ("\r\n\tMyRole\n=\t'Caller'\r\n;\n ", "MyRole == 'Caller';", Grant::any(Role::Caller)),
        ("MyRole='Recipient'orSay'Role does not match';", recipient, Grant::any(Role::Recipient)),
    ];
    for (text, canonical, grant) in rows {
        let instruction = read(text);
        assert_eq!(instruction.to_string(), canonical, "{text}");
        assert_eq!(read(canonical), instruction);
        assert_eq!(text.parse(), Ok(instruction.clone()));
        assert_eq!(instruction.grant(), Ok(grant), "{text}");
    }
}

#[test]
fn the_parts_of_a_statement_are_what_was_written() {
    let text = "MyRole == 'Recipient' orSay 'Role does not match'; Amount <= 'USD 10';";
    let instruction = read(text);
    let [role, amount] = instruction.statements() else { unreachable!("there are two statements") };
    assert_eq!(
        (role.name(), role.operator(), role.value()),
        ("MyRole", Operator::Equal, "Recipient")
    );
    assert_eq!(role.or_say(), Some("Role does not match"));
    assert_eq!((amount.operator(), amount.value()), (Operator::AtMost, "USD 10"));
    assert_eq!(amount.or_say(), None);
    let operators = [
        ("=", Operator::Equal),
        ("==", Operator::Equal),
        ("<", Operator::Less),
        ("<=", Operator::AtMost),
        (">", Operator::Greater),
        (">=", Operator::AtLeast),
    ];
    for (spelling, operator) in operators {
        let instruction = read(&format!("A{spelling}'';"));
        assert_eq!(instruction.statements().first().unwrap().operator(), operator, "{spelling}");
    }
}

#[test]
fn errors_say_where_in_the_words_of_the_service() {
    let rows = [
        // The two that were recorded.
        ("invalid instruction", "line 1:9: unexpected token: instruction", 1, 9),
        ("MyRole == 'Caller;", "expecting ''', found '<EOF>'", 1, 19),
        ("MyRole == ", "expecting ''', found '<EOF>'", 1, 11),
        ("MyRole == 'Caller' orSay", "expecting ''', found '<EOF>'", 1, 25),
        // The same kinds elsewhere.
        ("", "expecting a statement, found '<EOF>'", 1, 1),
        (" \n ", "expecting a statement, found '<EOF>'", 2, 2),
        ("MyRole", "expecting '==', found '<EOF>'", 1, 7),
        ("MyRole == 'Caller'", "expecting ';', found '<EOF>'", 1, 19),
        ("MyRole == 'Caller' orSay 'no'", "expecting ';', found '<EOF>'", 1, 30),
        (";", "line 1:1: unexpected token: ;", 1, 1),
        ("== 'Caller';", "line 1:1: unexpected token: ==", 1, 1),
        ("orSay == 'Caller';", "line 1:1: unexpected token: orSay", 1, 1),
        ("'Caller' == MyRole;", "line 1:1: unexpected token: '...'", 1, 1),
        ("MyRole = = 'Caller';", "line 1:10: unexpected token: =", 1, 10),
        ("MyRole === 'Caller';", "line 1:10: unexpected token: =", 1, 10),
        ("MyRole == Caller;", "line 1:11: unexpected token: Caller", 1, 11),
        ("MyRole == 'Caller' 'Sender';", "line 1:20: unexpected token: '...'", 1, 20),
        ("MyRole == 'Caller' orsay 'no';", "line 1:20: unexpected token: orsay", 1, 20),
        ("MyRole == 'Caller' orSay ;", "line 1:26: unexpected token: ;", 1, 26),
        ("MyRole == 'Caller';;", "line 1:20: unexpected token: ;", 1, 20),
        ("MyRole == 'Caller'\nOperationType", "line 2:1: unexpected token: OperationType", 2, 1),
        ("MyRole == 'Caller' orSay 'it isn't';", "line 1:34: unexpected token: t", 1, 34),
        // Columns are characters, and so a string of other letters counts as one sees it.
        ("A == '\u{2615}\u{2615}' b", "line 1:11: unexpected token: b", 1, 11),
        // What no token begins with.
        ("MyRole == \"Caller\";", "line 1:11: unexpected char: '\"'", 1, 11),
        ("MyRole == \u{2019}Caller\u{2019};", "line 1:11: unexpected char: 0x2019", 1, 11),
        ("My_Role == 'Caller';", "line 1:3: unexpected char: '_'", 1, 3),
        ("MyRole != 'Caller';", "line 1:8: unexpected char: '!'", 1, 8),
        ("A == 'a\u{1b}[2J';", "line 1:8: unexpected char: 0x1B", 1, 8),
        ("A == 'a\nb\0';", "line 2:2: unexpected char: 0x0", 2, 2),
    ];
    for (text, sentence, line, column) in rows {
        let expected = (format!("Parse errors: {sentence}"), line, column);
        assert_eq!(refused(text), expected, "{text}");
    }
}

#[test]
fn an_error_becomes_the_refusal_bad_rule() {
    let error = PaymentInstruction::parse("invalid instruction").unwrap_err();
    assert_eq!(*error.problem(), ParseProblem::UnexpectedToken("instruction".to_owned()));
    let refusal: ServiceError<ErrorCode> = error.into();
    assert_eq!(refusal.code, ErrorCode::BadRule);
    assert_eq!(refusal.message, "Parse errors: line 1:9: unexpected token: instruction");
    assert_eq!(refusal.request_id, None);
}

#[test]
fn the_texts_that_people_need_are_built() {
    let refund = "MyRole == 'Sender'; OperationType == 'Refund';";
    let rows = [
        (PaymentInstruction::caller(), "MyRole == 'Caller';"),
        (PaymentInstruction::recipient(), "MyRole == 'Recipient';"),
        (PaymentInstruction::refund(), refund),
        (PaymentInstruction::for_operation(Role::Sender, Operation::Refund).unwrap(), refund),
        (PaymentInstruction::for_role(Role::Sender), "MyRole == 'Sender';"),
    ];
    for (instruction, text) in rows {
        assert_eq!(instruction.to_string(), text);
        assert_eq!(read(text), instruction);
    }
    let role = Statement::new("MyRole", Operator::Equal, "Recipient").unwrap();
    let built = PaymentInstruction::new(role.with_or_say("Role does not match").unwrap());
    assert_eq!(built, read("MyRole == 'Recipient' orSay 'Role does not match';"));
}

#[test]
fn what_is_built_grants_exactly_what_it_was_built_for() {
    let operations = [
        ("Pay", Operation::Pay),
        ("Refund", Operation::Refund),
        ("Settle", Operation::Settle),
        ("SettleDebt", Operation::SettleDebt),
        ("WriteOffDebt", Operation::WriteOffDebt),
        ("FundPrepaid", Operation::FundPrepaid),
        ("Reserve", Operation::Reserve),
    ];
    for (word, role) in
        [("Caller", Role::Caller), ("Recipient", Role::Recipient), ("Sender", Role::Sender)]
    {
        let any = PaymentInstruction::for_role(role);
        assert_eq!(any, read(&format!("MyRole = '{word}';")));
        assert_eq!(any.grant(), Ok(Grant::any(role)));
        for (name, operation) in operations {
            let one = PaymentInstruction::for_operation(role, operation).unwrap();
            assert_eq!(one, read(&format!("MyRole = '{word}';OperationType = '{name}';")));
            assert_eq!(one.grant(), Ok(Grant::new(role, operation)));
        }
    }
    // A recipient token gives nothing back; a refund token does that and no more.
    let grants = Grants::NONE.with(PaymentInstruction::recipient().grant().unwrap());
    assert!(!grants.allow(Role::Sender, Operation::Refund));
    let grants = Grants::NONE.with(PaymentInstruction::refund().grant().unwrap());
    assert!(grants.allow(Role::Sender, Operation::Refund));
    assert!(!grants.allow(Role::Sender, Operation::Pay));
}

#[test]
fn nothing_is_granted_on_what_is_not_understood() {
    let further = |name: &str| NotAGrant::FurtherCondition(name.to_owned());
    let rows = [
        ("OperationType == 'Refund';", NotAGrant::NoRole),
        ("MyRole == 'Sender'; MyRole == 'Caller';", NotAGrant::Contradiction("MyRole")),
        (
            "MyRole == 'Sender'; OperationType = 'Refund'; OperationType = 'Pay';",
            NotAGrant::Contradiction("OperationType"),
        ),
        ("MyRole == 'Amazon';", NotAGrant::UnknownValue("MyRole")),
        ("MyRole == 'sender';", NotAGrant::UnknownValue("MyRole")),
        ("MyRole == ' Sender';", NotAGrant::UnknownValue("MyRole")),
        ("MyRole == '';", NotAGrant::UnknownValue("MyRole")),
        (
            "MyRole == 'Sender'; OperationType == 'DepositFunds';",
            NotAGrant::UnknownValue("OperationType"),
        ),
        (
            "MyRole == 'Sender'; OperationType == 'Pay,Refund';",
            NotAGrant::UnknownValue("OperationType"),
        ),
        ("MyRole == 'Sender'; OperationType <= 'Refund';", further("OperationType")),
        ("MyRole >= 'Sender';", further("MyRole")),
        ("myRole == 'Sender';", further("myRole")),
        ("MyRole == 'Sender'; operationType == 'Refund';", further("operationType")),
        ("MyRole == 'Sender'; TransactionAmount <= 'USD 10';", further("TransactionAmount")),
        ("TransactionAmount <= 'USD 10'; MyRole == 'Sender';", further("TransactionAmount")),
        (
            "MyRole == 'Sender'; OperationType == 'Refund'; Unheard > '1' orSay 'no';",
            further("Unheard"),
        ),
    ];
    for (text, problem) in rows {
        assert_eq!(read(text).grant(), Err(problem), "{text}");
    }
    // The same twice is no contradiction.
    let twice = "OperationType = 'Refund'; MyRole == 'Sender'; MyRole = 'Sender';";
    assert_eq!(read(twice).grant(), Ok(Grant::REFUND));
}

#[test]
fn what_no_text_can_say_is_not_built() {
    let name = "n".repeat(Statement::NAME_BYTES_MAX);
    let string = "s".repeat(Statement::STRING_BYTES_MAX);
    let rows = [
        ("", "v", InvalidStatement::Name),
        ("orSay", "v", InvalidStatement::Name),
        ("My Role", "v", InvalidStatement::Name),
        ("MyRole1", "v", InvalidStatement::Name),
        ("R\u{f4}le", "v", InvalidStatement::Name),
        (&format!("{name}n"), "v", InvalidStatement::Name),
        ("A", "it's", InvalidStatement::Character),
        ("A", "'", InvalidStatement::Character),
        ("A", "x'; MyRole == 'Sender", InvalidStatement::Character),
        ("A", "\u{1b}", InvalidStatement::Character),
        ("A", &format!("{string}s"), InvalidStatement::TooLong),
    ];
    for (name, value, problem) in rows {
        assert_eq!(Statement::new(name, Operator::Equal, value), Err(problem), "{name} {value}");
    }
    let good = Statement::new(name, Operator::AtLeast, string.clone()).unwrap();
    assert_eq!(good.clone().with_or_say("isn't"), Err(InvalidStatement::Character));
    assert_eq!(good.clone().with_or_say(format!("{string}s")), Err(InvalidStatement::TooLong));

    // The largest instruction there is can be written and read.
    let good = good.with_or_say(string).unwrap();
    let mut full = PaymentInstruction::new(good.clone());
    for _ in 1..PaymentInstruction::STATEMENTS_MAX {
        full = full.with(good.clone()).unwrap();
    }
    assert_eq!(read(&full.to_string()), full);
    assert_eq!(full.with(good), Err(InvalidStatement::TooMany));
}

#[test]
fn every_bound_is_an_error_of_its_own() {
    let problem = |text: &str| PaymentInstruction::parse(text).unwrap_err().problem().clone();
    let string = "s".repeat(Statement::STRING_BYTES_MAX);
    let name = "n".repeat(Statement::NAME_BYTES_MAX);
    assert_eq!(read(&format!("{name} = '{string}';")).statements().len(), 1);
    assert_eq!(problem(&format!("{name}n = 'v';")), ParseProblem::NameTooLong);
    assert_eq!(problem(&format!("A = '{string}s';")), ParseProblem::StringTooLong);
    assert_eq!(problem(&format!("A = 'v' orSay '{string}s';")), ParseProblem::StringTooLong);

    let full = "A = 'v';".repeat(PaymentInstruction::STATEMENTS_MAX);
    assert_eq!(read(&full).statements().len(), PaymentInstruction::STATEMENTS_MAX);
    assert_eq!(problem(&format!("{full}A = 'v';")), ParseProblem::TooMany);

    let blanks = " ".repeat(PaymentInstruction::BYTES_MAX - "A='v';".len());
    assert_eq!(read(&format!("A='v';{blanks}")).statements().len(), 1);
    assert_eq!(problem(&format!("A='v';{blanks} ")), ParseProblem::TooLong);
}

#[test]
fn floods_end_soon_and_nothing_that_was_sent_reaches_a_terminal() {
    let most = PaymentInstruction::BYTES_MAX;
    for piece in
        ["'", ";", "=", "A", "A=", "A=''", "A='';", "\n", "\0", "\u{1f600}", "<=", "orSay "]
    {
        let flood = piece.repeat(most / piece.len());
        let error = PaymentInstruction::parse(&flood).unwrap_err();
        let sentence = error.to_string();
        assert!(sentence.len() <= 120, "{piece:?}: {sentence}");
        assert!(sentence.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{sentence}");
    }
    let unclosed = format!("A = '{}", "x".repeat(most - 5));
    let problem = PaymentInstruction::parse(&unclosed).unwrap_err().problem().clone();
    assert_eq!(problem, ParseProblem::UnexpectedEnd(Awaited::Quote));
}

fn operators() -> impl Strategy<Value = Operator> {
    prop::sample::select(vec![
        Operator::Equal,
        Operator::Less,
        Operator::AtMost,
        Operator::Greater,
        Operator::AtLeast,
    ])
}

fn statements() -> impl Strategy<Value = Statement> {
    let name = "MyRole|OperationType|[A-Za-z]{1,64}".prop_filter("a keyword", |it| it != "orSay");
    let string = "Sender|Refund|[^'\\p{Cc}]{0,40}|[ \t\r\n;=<>a-z]{0,40}";
    (name, operators(), string, prop::option::of(string)).prop_map(
        |(name, operator, value, say)| {
            let statement = Statement::new(name, operator, value).unwrap();
            match say {
                Some(message) => statement.with_or_say(message).unwrap(),
                None => statement,
            }
        },
    )
}

/// Statements that mean something, and some that do not.
fn meant() -> impl Strategy<Value = Statement> {
    let name = prop::sample::select(vec!["MyRole", "OperationType", "Amount"]);
    let value = prop::sample::select(vec!["Sender", "Recipient", "Refund", "Pay", "Nothing"]);
    let operator = prop::sample::select(vec![Operator::Equal, Operator::AtMost]);
    (name, operator, value)
        .prop_map(|(name, operator, value)| Statement::new(name, operator, value).unwrap())
}

fn instruction(statements: Vec<Statement>) -> PaymentInstruction {
    let mut rest = statements.into_iter();
    let first = PaymentInstruction::new(rest.next().unwrap());
    rest.try_fold(first, PaymentInstruction::with).unwrap()
}

fn instructions() -> impl Strategy<Value = PaymentInstruction> {
    prop::collection::vec(statements(), 1..=4).prop_map(instruction)
}

const PIECES: &str = "(MyRole|OperationType|orSay|[ \n]|[=<>;']|'Refund'|\\PC){0,24}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_written_is_read_as_the_same(instruction in instructions()) {
        let text = instruction.to_string();
        prop_assert_eq!(PaymentInstruction::parse(&text), Ok(instruction));
    }

    #[test]
    fn any_text_is_read_or_refused(text in PIECES) {
        match PaymentInstruction::parse(&text) {
            Ok(instruction) => {
                prop_assert_eq!(PaymentInstruction::parse(&instruction.to_string()), Ok(instruction));
            }
            Err(error) => {
                let lines = text.split('\n').count();
                prop_assert!((1..=lines).contains(&error.line()));
                let line = text.split('\n').nth(error.line() - 1).unwrap();
                prop_assert!((1..=line.chars().count() + 1).contains(&error.column()));
            }
        }
    }

    #[test]
    fn a_further_statement_never_widens_a_grant(
        base in prop::sample::select(vec![
            PaymentInstruction::for_role(Role::Sender),
            PaymentInstruction::recipient(),
            PaymentInstruction::refund(),
        ]),
        further in prop::collection::vec(meant(), 1..=3),
    ) {
        let grants = |instruction: &PaymentInstruction| {
            instruction.grant().map_or(Grants::NONE, |grant| Grants::NONE.with(grant))
        };
        let more = further.into_iter().try_fold(base.clone(), PaymentInstruction::with).unwrap();
        let (before, after) = (grants(&base), grants(&more));
        for role in [Role::Sender, Role::Recipient, Role::Caller] {
            for operation in [Operation::Pay, Operation::Refund, Operation::Settle] {
                prop_assert!(before.allow(role, operation) || !after.allow(role, operation));
            }
        }
    }
}
