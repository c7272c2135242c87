package dev.holdfast.web;

import dev.holdfast.access.Access;
import dev.holdfast.access.Principal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;

/// Decides who is asking, and whether the request may be theirs.
public final class Doorkeeper {
    public static final String COOKIE = "holdfast-session";
    static final String CSRF_HEADER = "x-holdfast-csrf";
    private static final int LONGEST_SECRET = 200;

    private final Access access;
    private final AttemptLimiter limiter;

    public Doorkeeper(Access access, AttemptLimiter limiter) {
        this.access = access;
        this.limiter = limiter;
    }

    /// What a request shows of its sender.
    record Credentials(Optional<String> authorization, Optional<String> cookie, Optional<String> csrf) {}

    /// Who is asking; empty when the request shows no credential at all.
    ///
    /// @throws Problem NOT_SIGNED_IN for one that is no good, TOO_MANY_ATTEMPTS after many of them
    Optional<Principal> identify(Credentials shown, String address) {
        if (shown.authorization().isPresent()) {
            String header = shown.authorization().get();
            String token = header.regionMatches(true, 0, "Bearer ", 0, 7)
                    ? header.substring(7).strip()
                    : "";
            return Optional.of(proven(token, address, true));
        }
        return shown.cookie().isPresent()
                ? Optional.of(proven(shown.cookie().get(), address, false))
                : Optional.empty();
    }

    private Principal proven(String secret, String address, boolean token) {
        Optional<Principal> principal = secret.isEmpty() || secret.length() > LONGEST_SECRET
                ? Optional.empty()
                : token ? access.tokens().prove(secret) : access.bySession(secret);
        if (principal.isEmpty()) {
            // Somebody with a good secret is never held up by somebody else at the same address.
            holdUp(address);
            limiter.failed(address);
            throw new Problem(
                    ProblemType.NOT_SIGNED_IN,
                    token ? "the token is unknown, revoked or expired" : "the session has ended; sign in again");
        }
        return principal.get();
    }

    /// @throws Problem TOO_MANY_ATTEMPTS when this address failed too often
    public void holdUp(String address) {
        int wait = limiter.waitSeconds(address);
        if (wait > 0) {
            throw Problem.later(ProblemType.TOO_MANY_ATTEMPTS, "too many failed attempts from " + address, wait);
        }
    }

    public void failed(String address) {
        limiter.failed(address);
    }

    /// A write that a cookie authenticates must show that the console's own page sent it.
    void checkNotForged(Principal principal, Credentials shown) {
        if (principal.csrf().isEmpty()) {
            return;
        }
        byte[] wanted = principal.csrf().get().getBytes(StandardCharsets.US_ASCII);
        byte[] sent = shown.csrf().orElse("").getBytes(StandardCharsets.UTF_8);
        if (!MessageDigest.isEqual(wanted, sent)) {
            throw new Problem(
                    ProblemType.FORGED_REQUEST, "the header X-Holdfast-CSRF is missing or not this session's");
        }
    }
}
