package dev.holdfast.protocol.est;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Optional;

/// Proof of possession that counts on one TLS channel only (RFC 7030 section 3.5): the request carries, in
/// base64, what both ends of its channel know and nobody else does. That was tls-unique; it is tls-exporter
/// (RFC 9266) since.
public final class ChannelBinding {
    /// RFC 9266 section 2: the exporter's label; the context is empty.
    public static final String LABEL = "EXPORTER-Channel-Binding";

    /// RFC 9266 section 2.
    public static final int OCTETS = 32;

    private ChannelBinding() {}

    public enum Compared {
        /// The request has none.
        ABSENT,
        RIGHT,
        /// It is of another channel, or made up.
        WRONG,
        /// The request has one, and the channel exports nothing to compare it with.
        NOT_COMPARABLE
    }

    /// @param claimed what the request says
    /// @param channel what the channel exports
    public static Compared compare(Optional<String> claimed, Optional<byte[]> channel) {
        if (claimed.isEmpty()) {
            return Compared.ABSENT;
        }
        if (channel.isEmpty()) {
            return Compared.NOT_COMPARABLE;
        }
        return MessageDigest.isEqual(
                        text(channel.get()).getBytes(StandardCharsets.US_ASCII),
                        claimed.get().getBytes(StandardCharsets.UTF_8))
                ? Compared.RIGHT
                : Compared.WRONG;
    }

    /// As a request carries it.
    public static String text(byte[] exported) {
        return Base64.getEncoder().encodeToString(exported);
    }
}
