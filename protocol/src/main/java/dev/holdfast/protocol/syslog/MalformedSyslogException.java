package dev.holdfast.protocol.syslog;

/// The octets are not syslog as RFC 5424 and RFC 5425 have it.
public final class MalformedSyslogException extends Exception {
    private static final long serialVersionUID = 1L;

    public MalformedSyslogException(String message) {
        super(message);
    }
}
