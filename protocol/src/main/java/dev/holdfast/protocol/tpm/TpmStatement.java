package dev.holdfast.protocol.tpm;

/// What every attestation of a TPM says beside its subject (TPMS_ATTEST, part 2 section 10.12.12).
///
/// @param qualifiedSigner the qualified name of the key that signs, hexadecimal
/// @param extraData what the caller asked to be signed along, hexadecimal: the nonce
/// @param clock milliseconds that this TPM has been powered
/// @param resetCount how often the platform has been reset; like the two after it, the TPM's own number only
///     for keys in the endorsement hierarchy, else shifted by an amount that is constant for the key (part 1
///     section 36.7)
/// @param restartCount resumes since the last reset
/// @param clockSafe false when the clock may have gone back after an unorderly shutdown
public record TpmStatement(
        String qualifiedSigner,
        String extraData,
        long clock,
        long resetCount,
        long restartCount,
        boolean clockSafe,
        long firmwareVersion) {
    private static final long TPM_GENERATED = 0xff544347L;
    static final int CERTIFY = 0x8017;
    static final int QUOTE = 0x8018;
    static final int MOST_OCTETS = 2_048;
    static final int MOST_NAME = 66;

    /// 1. The magic: a restricted key signs nothing from outside that begins so. 2. The type. 3. The rest.
    static TpmStatement read(TpmReader in, int type) throws TpmFormatException {
        if (in.u32() != TPM_GENERATED) {
            throw new TpmFormatException(
                    TpmFormatException.Reason.WRONG_MAGIC, "not made by a TPM: TPM_GENERATED is missing");
        }
        int found = in.u16();
        if (found != type) {
            throw new TpmFormatException(
                    TpmFormatException.Reason.WRONG_TYPE,
                    "an attestation of type 0x" + Integer.toHexString(found) + ", 0x" + Integer.toHexString(type)
                            + " is needed");
        }
        return new TpmStatement(
                in.sizedHex(MOST_NAME), in.sizedHex(MOST_NAME), in.u64(), in.u32(), in.u32(), yes(in.u8()), in.u64());
    }

    /// TPMI_YES_NO.
    private static boolean yes(int value) throws TpmFormatException {
        if (value > 1) {
            throw TpmFormatException.malformed("neither yes nor no");
        }
        return value == 1;
    }
}
