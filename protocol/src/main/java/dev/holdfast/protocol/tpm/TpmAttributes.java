package dev.holdfast.protocol.tpm;

/// TPMA_OBJECT (part 2 section 8.3): what the TPM lets be done with a key. They are part of the key's name,
/// so whoever proves the name proves them.
public record TpmAttributes(int bits) {
    private static final int FIXED_TPM = 1 << 1;
    private static final int ST_CLEAR = 1 << 2;
    private static final int FIXED_PARENT = 1 << 4;
    private static final int SENSITIVE_DATA_ORIGIN = 1 << 5;
    private static final int USER_WITH_AUTH = 1 << 6;
    private static final int ADMIN_WITH_POLICY = 1 << 7;
    private static final int FIRMWARE_LIMITED = 1 << 8;
    private static final int SVN_LIMITED = 1 << 9;
    private static final int NO_DA = 1 << 10;
    private static final int ENCRYPTED_DUPLICATION = 1 << 11;
    private static final int RESTRICTED = 1 << 16;
    private static final int DECRYPT = 1 << 17;
    private static final int SIGN = 1 << 18;
    private static final int X509_SIGN = 1 << 19;
    private static final int KNOWN = FIXED_TPM
            | ST_CLEAR
            | FIXED_PARENT
            | SENSITIVE_DATA_ORIGIN
            | USER_WITH_AUTH
            | ADMIN_WITH_POLICY
            | FIRMWARE_LIMITED
            | SVN_LIMITED
            | NO_DA
            | ENCRYPTED_DUPLICATION
            | RESTRICTED
            | DECRYPT
            | SIGN
            | X509_SIGN;

    static TpmAttributes parse(long bits) throws TpmFormatException {
        if ((bits & ~KNOWN & 0xffff_ffffL) != 0) {
            throw TpmFormatException.malformed("reserved object attributes are set");
        }
        return new TpmAttributes((int) bits);
    }

    private boolean has(int bit) {
        return (bits & bit) != 0;
    }

    /// It can't leave this TPM.
    public boolean fixedTpm() {
        return has(FIXED_TPM);
    }

    /// It can't be moved under another parent.
    public boolean fixedParent() {
        return has(FIXED_PARENT);
    }

    /// The TPM made its secret part; nobody put it in.
    public boolean sensitiveDataOrigin() {
        return has(SENSITIVE_DATA_ORIGIN);
    }

    /// It signs (or decrypts) only what the TPM itself has made.
    public boolean restricted() {
        return has(RESTRICTED);
    }

    public boolean decrypt() {
        return has(DECRYPT);
    }

    public boolean sign() {
        return has(SIGN);
    }
}
