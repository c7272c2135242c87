package dev.holdfast.identity;

import java.util.Locale;

/// Why a certificate was not granted, as facts.
public enum EnrolmentRefusal {
    MALFORMED_REQUEST,
    REQUEST_SIGNATURE_WRONG,
    SIGNATURE_SCHEME_NOT_ACCEPTED,
    KEY_WEAK,
    KEY_NOT_ACCEPTED,
    REQUEST_WANTS_A_CA,
    /// No such token for this device; whether the device exists is not told.
    TOKEN_WRONG,
    TOKEN_EXPIRED,
    TOKEN_ALREADY_USED,
    TOKEN_WITHDRAWN,
    MANUFACTURER_SERIAL_NOT_REGISTERED,
    CERTIFICATE_EXPIRED,
    CERTIFICATE_NOT_YET_VALID,
    CERTIFICATE_UNKNOWN,
    CERTIFICATE_REVOKED,
    CERTIFICATE_SUPERSEDED,
    DEVICE_UNKNOWN,
    DEVICE_SUSPENDED,
    DEVICE_RETIRED,
    SUBJECT_IS_NOT_THE_DEVICE,
    ALTERNATIVE_NAMES_DIFFER,
    KEY_ALREADY_BOUND_TO_ANOTHER_DEVICE,
    KEY_OF_A_REVOKED_CERTIFICATE,
    /// Production certificates need a recorded host name and an issuer under the operator's own root.
    NOT_READY_FOR_PRODUCTION;

    /// As problems and the API write it: `token-expired`.
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// Whether it says that the credential itself is not good, rather than what was asked with it.
    public boolean isAuthenticationFailure() {
        return switch (this) {
            case TOKEN_WRONG, TOKEN_EXPIRED, TOKEN_ALREADY_USED, TOKEN_WITHDRAWN -> true;
            case MALFORMED_REQUEST,
                    REQUEST_SIGNATURE_WRONG,
                    SIGNATURE_SCHEME_NOT_ACCEPTED,
                    KEY_WEAK,
                    KEY_NOT_ACCEPTED,
                    REQUEST_WANTS_A_CA,
                    MANUFACTURER_SERIAL_NOT_REGISTERED,
                    CERTIFICATE_EXPIRED,
                    CERTIFICATE_NOT_YET_VALID,
                    CERTIFICATE_UNKNOWN,
                    CERTIFICATE_REVOKED,
                    CERTIFICATE_SUPERSEDED,
                    DEVICE_UNKNOWN,
                    DEVICE_SUSPENDED,
                    DEVICE_RETIRED,
                    SUBJECT_IS_NOT_THE_DEVICE,
                    ALTERNATIVE_NAMES_DIFFER,
                    KEY_ALREADY_BOUND_TO_ANOTHER_DEVICE,
                    KEY_OF_A_REVOKED_CERTIFICATE,
                    NOT_READY_FOR_PRODUCTION -> false;
        };
    }
}
