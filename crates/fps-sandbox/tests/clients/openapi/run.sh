#!/usr/bin/env bash
# Drives the OpenAPI document of Amazon Pay against the sandbox: no server error, and no answer that the
# document does not know. SCHEMATHESIS is where it is; hooks.py says what else must be set.
set -euo pipefail
cd "$(dirname "$0")"
SCHEMATHESIS_HOOKS=hooks PYTHONPATH=. "$SCHEMATHESIS" run ../../../../../docs/reference/amazon-pay.openapi.json \
    --url "$SANDBOX_URL" --tls-verify "$SANDBOX_CA" --seed 42 --max-examples "${EXAMPLES:-60}" \
    --phases examples,coverage,fuzzing --generation-database none --no-color \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance
