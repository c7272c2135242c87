package dev.holdfast.protocol.acme;

/// What went wrong, in the words of RFC 8555 section 6.7, RFC 9773 section 7.4 and
/// draft-ietf-acme-device-attest.
public enum AcmeProblem {
    ACCOUNT_DOES_NOT_EXIST("accountDoesNotExist", 400),
    ALREADY_REPLACED("alreadyReplaced", 409),
    ALREADY_REVOKED("alreadyRevoked", 400),
    BAD_ATTESTATION_STATEMENT("badAttestationStatement", 400),
    BAD_CSR("badCSR", 400),
    BAD_NONCE("badNonce", 400),
    BAD_PUBLIC_KEY("badPublicKey", 400),
    BAD_REVOCATION_REASON("badRevocationReason", 400),
    BAD_SIGNATURE_ALGORITHM("badSignatureAlgorithm", 400),
    CONNECTION("connection", 400),
    DNS("dns", 400),
    EXTERNAL_ACCOUNT_REQUIRED("externalAccountRequired", 403),
    INCORRECT_RESPONSE("incorrectResponse", 403),
    INVALID_CONTACT("invalidContact", 400),
    MALFORMED("malformed", 400),
    ORDER_NOT_READY("orderNotReady", 403),
    RATE_LIMITED("rateLimited", 429),
    REJECTED_IDENTIFIER("rejectedIdentifier", 400),
    SERVER_INTERNAL("serverInternal", 500),
    UNAUTHORIZED("unauthorized", 403),
    UNSUPPORTED_IDENTIFIER("unsupportedIdentifier", 400);

    private static final String NAMESPACE = "urn:ietf:params:acme:error:";
    private final String name;
    private final int status;

    AcmeProblem(String name, int status) {
        this.name = name;
        this.status = status;
    }

    /// The `type` of the problem document.
    public String urn() {
        return NAMESPACE + name;
    }

    /// The HTTP status that usually goes with it.
    public int status() {
        return status;
    }
}
