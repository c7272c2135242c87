package dev.holdfast.protocol.tpm;

/// That a key with this name is in the TPM (TPMS_CERTIFY_INFO, part 2 section 10.12.3).
///
/// @param name of the key, hexadecimal
/// @param qualifiedName hexadecimal
public record TpmCertification(TpmStatement statement, String name, String qualifiedName) {

    /// Reads TPMS_ATTEST, as `tpm2_certify -o` writes it.
    public static TpmCertification parse(byte[] attest) throws TpmFormatException {
        TpmReader in = new TpmReader("TPMS_ATTEST", attest, TpmStatement.MOST_OCTETS);
        TpmStatement statement = TpmStatement.read(in, TpmStatement.CERTIFY);
        String name = in.sizedHex(TpmStatement.MOST_NAME);
        String qualified = in.sizedHex(TpmStatement.MOST_NAME);
        in.end();
        return new TpmCertification(statement, name, qualified);
    }
}
