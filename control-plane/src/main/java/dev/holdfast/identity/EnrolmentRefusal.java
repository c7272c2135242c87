package dev.holdfast.identity;

import dev.holdfast.protocol.x509.CertificationRequestException;
import java.util.Locale;

/// Why a certificate was not granted, as facts.
public enum EnrolmentRefusal {
    MALFORMED_REQUEST,
    REQUEST_SIGNATURE_WRONG,
    SIGNATURE_SCHEME_NOT_ACCEPTED,
    KEY_WEAK,
    KEY_NOT_ACCEPTED,
    REQUEST_WANTS_A_CA,
    /// The request wants an extension that is critical and not known here, or has one twice.
    EXTENSION_NOT_ACCEPTED,
    /// A name in the request has control characters, or letters that look like others.
    NAME_NOT_ACCEPTED,
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
    /// There is no profile of that name in this environment.
    PROFILE_UNKNOWN,
    /// The profile does not take this kind of credential.
    CREDENTIAL_NOT_ACCEPTED_BY_PROFILE,
    /// A renewal goes by the profile of the certificate that is renewed.
    PROFILE_IS_NOT_THE_CERTIFICATES,
    KEY_NOT_ACCEPTED_BY_PROFILE,
    /// The profile wants the proof of possession bound to the TLS channel.
    CHANNEL_BINDING_NEEDED,
    /// The request is bound to another channel than the one it came by.
    CHANNEL_BINDING_WRONG,
    /// The profile does not have keys made by the server.
    SERVER_KEY_NOT_OFFERED_BY_PROFILE,
    /// A key made by the server was to be encrypted to a key that is not known here.
    ENCRYPTION_KEY_UNKNOWN,
    /// No open batch has this claim certificate.
    CLAIM_UNKNOWN,
    CLAIM_CLOSED,
    CLAIM_EXPIRED,
    /// As many devices as the batch has room for have claimed their certificate.
    CLAIM_USED_UP,
    /// The device is not one of the batch, or has an identity already.
    CLAIM_NOT_FOR_THIS_DEVICE,
    /// The profile wants evidence of where the key is.
    ATTESTATION_NEEDED,
    /// What the TPM has shown is not believed; the detail begins with the [TpmFault].
    TPM_NOT_BELIEVED,
    /// No such shared secret for this device.
    SECRET_WRONG,
    SECRET_EXPIRED,
    SECRET_ALREADY_USED,
    SECRET_WITHDRAWN,
    /// An operator has refused this request.
    REFUSED_BY_A_PERSON,
    TOO_MANY_REQUESTS_WAIT,
    /// Production certificates need a recorded host name and an issuer under the operator's own root.
    NOT_READY_FOR_PRODUCTION;

    /// Why a request whose form or proof of possession is not right gets nothing.
    public static EnrolmentRefusal of(CertificationRequestException e) {
        return switch (e.reason()) {
            case MALFORMED -> MALFORMED_REQUEST;
            case KEY_WEAK -> KEY_WEAK;
            case KEY_NOT_ACCEPTED -> KEY_NOT_ACCEPTED;
            case SIGNATURE_SCHEME_NOT_ACCEPTED -> SIGNATURE_SCHEME_NOT_ACCEPTED;
            case SIGNATURE_WRONG -> REQUEST_SIGNATURE_WRONG;
            case EXTENSION_NOT_ACCEPTED -> EXTENSION_NOT_ACCEPTED;
            case NAME_NOT_ACCEPTED -> NAME_NOT_ACCEPTED;
        };
    }

    /// As problems and the API write it: `token-expired`.
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// Whether it says that the credential itself is not good, rather than what was asked with it.
    public boolean isAuthenticationFailure() {
        return switch (this) {
            case TOKEN_WRONG,
                    TOKEN_EXPIRED,
                    TOKEN_ALREADY_USED,
                    TOKEN_WITHDRAWN,
                    SECRET_WRONG,
                    SECRET_EXPIRED,
                    SECRET_ALREADY_USED,
                    SECRET_WITHDRAWN -> true;
            case MALFORMED_REQUEST,
                    REQUEST_SIGNATURE_WRONG,
                    SIGNATURE_SCHEME_NOT_ACCEPTED,
                    KEY_WEAK,
                    KEY_NOT_ACCEPTED,
                    REQUEST_WANTS_A_CA,
                    EXTENSION_NOT_ACCEPTED,
                    NAME_NOT_ACCEPTED,
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
                    PROFILE_UNKNOWN,
                    CREDENTIAL_NOT_ACCEPTED_BY_PROFILE,
                    PROFILE_IS_NOT_THE_CERTIFICATES,
                    KEY_NOT_ACCEPTED_BY_PROFILE,
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
                    TOO_MANY_REQUESTS_WAIT,
                    NOT_READY_FOR_PRODUCTION -> false;
        };
    }
}
