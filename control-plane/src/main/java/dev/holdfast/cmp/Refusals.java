package dev.holdfast.cmp;

import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.protocol.cmp.CmpFailure;

/// Why a certificate was not granted, in the protocol's terms (PKIFailureInfo).
final class Refusals {
    private Refusals() {}

    static CmpFailure failure(EnrolmentRefusal reason) {
        return switch (reason) {
            case MALFORMED_REQUEST -> CmpFailure.BAD_DATA_FORMAT;
            case EXTENSION_NOT_ACCEPTED -> CmpFailure.UNACCEPTED_EXTENSION;
            case REQUEST_SIGNATURE_WRONG -> CmpFailure.BAD_POP;
            case SIGNATURE_SCHEME_NOT_ACCEPTED -> CmpFailure.BAD_ALG;
            case KEY_WEAK,
                    KEY_NOT_ACCEPTED,
                    KEY_NOT_ACCEPTED_BY_PROFILE,
                    REQUEST_WANTS_A_CA,
                    NAME_NOT_ACCEPTED,
                    SUBJECT_IS_NOT_THE_DEVICE,
                    ALTERNATIVE_NAMES_DIFFER,
                    KEY_ALREADY_BOUND_TO_ANOTHER_DEVICE,
                    KEY_OF_A_REVOKED_CERTIFICATE -> CmpFailure.BAD_CERT_TEMPLATE;
            case SECRET_WRONG -> CmpFailure.BAD_MESSAGE_CHECK;
            case CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID, CERTIFICATE_UNKNOWN -> CmpFailure.SIGNER_NOT_TRUSTED;
            case CERTIFICATE_REVOKED, CERTIFICATE_SUPERSEDED -> CmpFailure.CERT_REVOKED;
            case PROFILE_UNKNOWN, PROFILE_IS_NOT_THE_CERTIFICATES -> CmpFailure.BAD_REQUEST;
            case TOO_MANY_REQUESTS_WAIT -> CmpFailure.SYSTEM_UNAVAIL;
            case TOKEN_WRONG,
                    TOKEN_EXPIRED,
                    TOKEN_ALREADY_USED,
                    TOKEN_WITHDRAWN,
                    SECRET_EXPIRED,
                    SECRET_ALREADY_USED,
                    SECRET_WITHDRAWN,
                    MANUFACTURER_SERIAL_NOT_REGISTERED,
                    DEVICE_UNKNOWN,
                    DEVICE_SUSPENDED,
                    DEVICE_RETIRED,
                    CREDENTIAL_NOT_ACCEPTED_BY_PROFILE,
                    CHANNEL_BINDING_NEEDED,
                    CHANNEL_BINDING_WRONG,
                    SERVER_KEY_NOT_OFFERED_BY_PROFILE,
                    ENCRYPTION_KEY_UNKNOWN,
                    CLAIM_UNKNOWN,
                    CLAIM_CLOSED,
                    CLAIM_EXPIRED,
                    CLAIM_USED_UP,
                    CLAIM_NOT_FOR_THIS_DEVICE,
                    ATTESTATION_NEEDED,
                    TPM_NOT_BELIEVED,
                    REFUSED_BY_A_PERSON,
                    NOT_READY_FOR_PRODUCTION -> CmpFailure.NOT_AUTHORIZED;
        };
    }
}
