package dev.holdfast.protocol.tpm;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/// What keeps a key from being what it is presented as.
public enum TpmKeyFault {
    /// It would sign anything it is given, a forged quote too.
    NOT_RESTRICTED,
    /// It could be copied to another TPM, or out of any.
    NOT_FIXED_TPM,
    NOT_FIXED_PARENT,
    /// Somebody outside the TPM made it, and may have kept it.
    NOT_MADE_BY_THE_TPM,
    NOT_FOR_SIGNING,
    FOR_DECRYPTION,
    NOT_FOR_DECRYPTION,
    FOR_SIGNING,
    /// Each signature could choose its own scheme.
    NO_SIGNATURE_SCHEME,
    /// It protects nothing by a symmetric key, so no credential can be made for it.
    NO_SYMMETRIC_KEY;

    /// `not-restricted`
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// An attestation key signs what its TPM says, nothing else, and never leaves it.
    public static Set<TpmKeyFault> ofAttestationKey(TpmPublic key) {
        Set<TpmKeyFault> faults = ofDeviceKey(key);
        add(faults, !key.attributes().restricted(), NOT_RESTRICTED);
        add(faults, key.attributes().decrypt(), FOR_DECRYPTION);
        add(faults, key.scheme().isEmpty(), NO_SIGNATURE_SCHEME);
        return faults;
    }

    /// An endorsement key (TCG EK Credential Profile, templates L-1, L-2 and their kin) decrypts credentials.
    public static Set<TpmKeyFault> ofEndorsementKey(TpmPublic key) {
        Set<TpmKeyFault> faults = bound(key);
        add(faults, !key.attributes().restricted(), NOT_RESTRICTED);
        add(faults, !key.attributes().decrypt(), NOT_FOR_DECRYPTION);
        add(faults, key.attributes().sign(), FOR_SIGNING);
        add(faults, key.symmetricBits().isEmpty(), NO_SYMMETRIC_KEY);
        return faults;
    }

    /// The key that a certificate is for.
    public static Set<TpmKeyFault> ofDeviceKey(TpmPublic key) {
        Set<TpmKeyFault> faults = bound(key);
        add(faults, !key.attributes().sign(), NOT_FOR_SIGNING);
        return faults;
    }

    private static Set<TpmKeyFault> bound(TpmPublic key) {
        Set<TpmKeyFault> faults = EnumSet.noneOf(TpmKeyFault.class);
        add(faults, !key.attributes().fixedTpm(), NOT_FIXED_TPM);
        add(faults, !key.attributes().fixedParent(), NOT_FIXED_PARENT);
        add(faults, !key.attributes().sensitiveDataOrigin(), NOT_MADE_BY_THE_TPM);
        return faults;
    }

    private static void add(Set<TpmKeyFault> faults, boolean is, TpmKeyFault fault) {
        if (is) {
            faults.add(fault);
        }
    }
}
