package dev.holdfast.protocol.scep;

/// Why a request got nothing (RFC 8894 section 3.2.1.4).
public enum FailInfo {
    BAD_ALGORITHM("0"),
    BAD_MESSAGE_CHECK("1"),
    BAD_REQUEST("2"),
    BAD_TIME("3"),
    BAD_CERTIFICATE_ID("4");

    private final String code;

    FailInfo(String code) {
        this.code = code;
    }

    String code() {
        return code;
    }
}
