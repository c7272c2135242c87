package dev.holdfast.protocol.scep;

import java.util.Optional;

/// The requests that are taken (RFC 8894 section 3.2.1.2); GetCert, GetCRL and every other are refused.
public enum MessageType {
    PKCS_REQ("19"),
    RENEWAL_REQ("17"),
    CERT_POLL("20");

    private final String code;

    MessageType(String code) {
        this.code = code;
    }

    static Optional<MessageType> parse(String code) {
        for (MessageType type : values()) {
            if (type.code.equals(code)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
