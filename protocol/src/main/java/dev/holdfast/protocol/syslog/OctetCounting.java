package dev.holdfast.protocol.syslog;

import java.util.ArrayList;
import java.util.List;

/// Cuts a stream into messages by octet counting: `MSG-LEN SP SYSLOG-MSG` (RFC 5425 section 4.3).
///
/// Takes the stream in pieces of any size and holds at most one message.
public final class OctetCounting {
    private final int most;
    private byte[] message = new byte[0];
    private int filled;
    private int length;
    private int digits;

    /// @param most octets of a message; RFC 5425 section 4.3.1 asks for at least 2048 and advises 8192
    public OctetCounting(int most) {
        this.most = most;
    }

    /// @return the messages that this piece completes
    /// @throws MalformedSyslogException when the stream can't be followed any further
    public List<byte[]> feed(byte[] piece) throws MalformedSyslogException {
        List<byte[]> complete = new ArrayList<>();
        int at = 0;
        while (at < piece.length) {
            if (message.length == 0) {
                count(piece[at++]);
            } else {
                int taken = Math.min(piece.length - at, message.length - filled);
                System.arraycopy(piece, at, message, filled, taken);
                filled += taken;
                at += taken;
                if (filled == message.length) {
                    complete.add(message);
                    message = new byte[0];
                    filled = 0;
                }
            }
        }
        return complete;
    }

    /// Whether a message has begun and is not complete.
    public boolean isInside() {
        return digits > 0 || message.length > 0;
    }

    private void count(byte octet) throws MalformedSyslogException {
        if (octet == ' ' && digits > 0) {
            message = new byte[length];
            length = 0;
            digits = 0;
        } else if (octet >= '0' && octet <= '9' && (digits > 0 || octet != '0')) {
            length = length * 10 + (octet - '0');
            digits++;
            if (length > most) {
                throw new MalformedSyslogException("a message of more than " + most + " octets");
            }
        } else {
            throw new MalformedSyslogException("not octet counting: a length and a space before each message");
        }
    }
}
