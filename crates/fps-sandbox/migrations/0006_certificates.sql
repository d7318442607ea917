-- The X.509 certificate that a merchant's SOAP requests are signed with, in DER; older merchants have none.
ALTER TABLE merchant ADD COLUMN certificate BLOB;
CREATE UNIQUE INDEX merchant_by_certificate ON merchant (certificate) WHERE certificate IS NOT NULL;
