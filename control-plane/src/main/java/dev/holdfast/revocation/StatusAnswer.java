package dev.holdfast.revocation;

import dev.holdfast.protocol.ocsp.OcspResponse;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// An answer's DER, and how it may be cached by whoever carries it (RFC 5019 section 6.2); what is not for
/// many may not be.
public final class StatusAnswer {
    private static final DateTimeFormatter HTTP_DATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", java.util.Locale.ROOT);

    private final byte[] der;
    private final @Nullable Caching caching;

    /// @param tag strong, quoted
    /// @param from as HTTP writes it
    /// @param until as HTTP writes it
    public record Caching(String tag, String from, String until, Instant nextUpdate) {}

    private StatusAnswer(byte[] der, @Nullable Caching caching) {
        this.der = der;
        this.caching = caching;
    }

    /// An answer to one asker's nonce.
    static StatusAnswer once(byte[] der) {
        return new StatusAnswer(der, null);
    }

    public static StatusAnswer failure(OcspResponse.Failure failure) {
        return new StatusAnswer(failure.response(), null);
    }

    static StatusAnswer forMany(byte[] der, Instant thisUpdate, Instant nextUpdate) {
        return new StatusAnswer(der, new Caching(tag(der), httpDate(thisUpdate), httpDate(nextUpdate), nextUpdate));
    }

    /// Shared by all who ask: not to be altered.
    public byte[] der() {
        return der;
    }

    public Optional<Caching> caching() {
        return Optional.ofNullable(caching);
    }

    private static String tag(byte[] der) {
        try {
            return '"'
                    + HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(der), 0, 20)
                    + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
        }
    }

    public static String httpDate(Instant at) {
        return HTTP_DATE.format(at.atOffset(ZoneOffset.UTC));
    }
}
