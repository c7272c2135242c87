package dev.holdfast.identity;

import dev.holdfast.protocol.x509.CertificationRequestException;
import java.util.Locale;

/// Why a certificate was not granted, as facts.
public enum EnrolmentRefusal {
    MALFORMED_REQUEST(Status.BAD_REQUEST),
    REQUEST_SIGNATURE_WRONG(Status.BAD_REQUEST),
    SIGNATURE_SCHEME_NOT_ACCEPTED(Status.BAD_REQUEST),
    KEY_WEAK(Status.BAD_REQUEST),
    KEY_NOT_ACCEPTED(Status.BAD_REQUEST),
    REQUEST_WANTS_A_CA(Status.BAD_REQUEST),
    /// The request wants an extension that is critical and not known here, or has one twice.
    EXTENSION_NOT_ACCEPTED(Status.BAD_REQUEST),
    /// A name in the request has control characters, or letters that look like others.
    NAME_NOT_ACCEPTED(Status.BAD_REQUEST),
    /// No such token for this device; whether the device exists is not told.
    TOKEN_WRONG(Status.NOT_AUTHENTICATED),
    TOKEN_EXPIRED(Status.NOT_AUTHENTICATED),
    TOKEN_ALREADY_USED(Status.NOT_AUTHENTICATED),
    TOKEN_WITHDRAWN(Status.NOT_AUTHENTICATED),
    MANUFACTURER_SERIAL_NOT_REGISTERED(Status.NOT_ALLOWED),
    CERTIFICATE_EXPIRED(Status.NOT_ALLOWED),
    CERTIFICATE_NOT_YET_VALID(Status.NOT_ALLOWED),
    CERTIFICATE_UNKNOWN(Status.NOT_ALLOWED),
    CERTIFICATE_REVOKED(Status.NOT_ALLOWED),
    CERTIFICATE_SUPERSEDED(Status.NOT_ALLOWED),
    DEVICE_UNKNOWN(Status.NOT_ALLOWED),
    DEVICE_SUSPENDED(Status.NOT_ALLOWED),
    DEVICE_RETIRED(Status.NOT_ALLOWED),
    SUBJECT_IS_NOT_THE_DEVICE(Status.CONFLICT),
    ALTERNATIVE_NAMES_DIFFER(Status.CONFLICT),
    KEY_ALREADY_BOUND_TO_ANOTHER_DEVICE(Status.CONFLICT),
    KEY_OF_A_REVOKED_CERTIFICATE(Status.CONFLICT),
    /// There is no profile of that name in this environment.
    PROFILE_UNKNOWN(Status.NO_SUCH_PROFILE),
    /// The profile does not take this kind of credential.
    CREDENTIAL_NOT_ACCEPTED_BY_PROFILE(Status.NOT_ALLOWED),
    /// A renewal goes by the profile of the certificate that is renewed.
    PROFILE_IS_NOT_THE_CERTIFICATES(Status.NOT_ALLOWED),
    KEY_NOT_ACCEPTED_BY_PROFILE(Status.BAD_REQUEST),
    /// The profile wants the proof of possession bound to the TLS channel.
    CHANNEL_BINDING_NEEDED(Status.NOT_BOUND),
    /// The request is bound to another channel than the one it came by.
    CHANNEL_BINDING_WRONG(Status.NOT_BOUND),
    /// The profile does not have keys made by the server.
    SERVER_KEY_NOT_OFFERED_BY_PROFILE(Status.NOT_ALLOWED),
    /// A key made by the server was to be encrypted to a key that is not known here.
    ENCRYPTION_KEY_UNKNOWN(Status.NOT_BOUND),
    /// No open batch has this claim certificate.
    CLAIM_UNKNOWN(Status.NOT_ALLOWED),
    CLAIM_CLOSED(Status.NOT_ALLOWED),
    CLAIM_EXPIRED(Status.NOT_ALLOWED),
    /// As many devices as the batch has room for have claimed their certificate.
    CLAIM_USED_UP(Status.NOT_ALLOWED),
    /// The device is not one of the batch, or has an identity already.
    CLAIM_NOT_FOR_THIS_DEVICE(Status.NOT_ALLOWED),
    /// The profile wants evidence of where the key is.
    ATTESTATION_NEEDED(Status.NOT_ALLOWED),
    /// What the TPM has shown is not believed; the detail begins with the [TpmFault].
    TPM_NOT_BELIEVED(Status.NOT_ALLOWED),
    /// No such shared secret for this device.
    SECRET_WRONG(Status.NOT_AUTHENTICATED),
    SECRET_EXPIRED(Status.NOT_AUTHENTICATED),
    SECRET_ALREADY_USED(Status.NOT_AUTHENTICATED),
    SECRET_WITHDRAWN(Status.NOT_AUTHENTICATED),
    /// An operator has refused this request.
    REFUSED_BY_A_PERSON(Status.NOT_ALLOWED),
    TOO_MANY_REQUESTS_WAIT(Status.NOT_NOW),
    /// Production certificates need a recorded host name and an issuer under the operator's own root.
    NOT_READY_FOR_PRODUCTION(Status.NOT_ALLOWED);

    /// The classes of refusals.
    public enum Status {
        /// The request itself is no good, whoever sends it: form, proof of possession, key, what it wants.
        BAD_REQUEST,
        /// What must be tied to the request (its channel, the key for the answer) is not, or to something else.
        NOT_BOUND,
        /// The secret that came with it is not good.
        NOT_AUTHENTICATED,
        /// Who asks is known, or known not to be: this is not for them.
        NOT_ALLOWED,
        /// It contradicts what is on record of the device or of the key.
        CONFLICT,
        NO_SUCH_PROFILE,
        /// The same may be granted later.
        NOT_NOW
    }

    private final Status status;

    EnrolmentRefusal(Status status) {
        this.status = status;
    }

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
        return status == Status.NOT_AUTHENTICATED;
    }

    /// What class of refusal it is: what each protocol goes by, but for the few codes that it has words of its
    /// own for.
    public Status status() {
        return status;
    }
}
