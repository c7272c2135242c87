package dev.holdfast.protocol.ipfix;

/// The octets are not an IPFIX message.
public final class MalformedIpfixException extends Exception {
    private static final long serialVersionUID = 1L;

    public MalformedIpfixException(String message) {
        super(message);
    }
}
