package dev.holdfast.revocation;

import java.nio.file.Path;
import java.time.Instant;

/// A list of revoked certificates, DER, as it is given out.
///
/// @param tag another one for every list that is ever made
/// @param thisUpdate when it was made
/// @param nextUpdate until when it may be relied on
public record RevocationList(Content content, String tag, Instant thisUpdate, Instant nextUpdate) {
    public sealed interface Content {
        /// Of one part, or what has changed: never long.
        final class InMemory implements Content {
            private final byte[] der;

            InMemory(byte[] der) {
                this.der = der;
            }

            /// Shared by all who ask: not to be altered.
            public byte[] der() {
                return der;
            }
        }

        /// Everything an authority has revoked, which may be long.
        record InFile(Path file) implements Content {}
    }
}
