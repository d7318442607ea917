//! The WSDL of revision 2008-09-17, the one that Amazon published, with the sandbox's address in it.

/// Generated with the file of the same name in the reference.
const WSDL: &str = include_str!("amazon-fps.wsdl");
/// Where Amazon's file says that the service is.
const ADDRESS: &str = "<soap:address location=\"https://fps.amazonaws.com\"/>";

/// Where it is served. Source: seed 001's namespace; the saved WSDL of Amazon came from there.
pub(crate) const WSDL_PATH: &str = "/doc/2008-09-17/AmazonFPS.wsdl";

/// The WSDL of the service at an address.
pub(crate) fn wsdl(url: &str) -> Vec<u8> {
    let address = format!("<soap:address location=\"{url}/\"/>");
    WSDL.replacen(ADDRESS, &address, 1).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_stands_in_it_once() {
        assert_eq!(WSDL.matches(ADDRESS).count(), 1);
    }
}
