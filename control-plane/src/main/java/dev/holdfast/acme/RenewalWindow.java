package dev.holdfast.acme;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/// When a certificate should be renewed (RFC 9773 section 4.2). Clients choose a moment at random within it, so
/// a fleet that enrolled at once does not renew at once.
record RenewalWindow(Instant start, Instant end) {
    private static final Duration SHORTEST = Duration.ofMinutes(10);

    /// From when the certificate is to be renewed, which is spread over the fleet already, for a quarter of
    /// what is left of it then; the rest is kept for trying again.
    static RenewalWindow of(Instant renewAt, Instant notAfter) {
        Duration left = Duration.between(renewAt, notAfter).dividedBy(4);
        return new RenewalWindow(renewAt, renewAt.plus(left.compareTo(SHORTEST) < 0 ? SHORTEST : left));
    }

    /// For one that does not count any more: at once (section 4.2: a window in the past).
    static RenewalWindow overdue(Instant now) {
        return new RenewalWindow(now.minus(Duration.ofHours(2)), now.minus(Duration.ofHours(1)));
    }

    Map<String, Object> json() {
        return Map.of("suggestedWindow", Map.of("start", seconds(start), "end", seconds(end)));
    }

    private static String seconds(Instant at) {
        return Instant.ofEpochSecond(at.getEpochSecond()).toString();
    }
}
