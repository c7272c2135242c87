package dev.holdfast.identity;

import dev.holdfast.core.DeviceId;
import dev.holdfast.protocol.x509.Certificates;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/// Slows down whoever fails, and nobody else.
///
/// A token's name and secret prove nothing, so its failures count against where they come from: against source
/// and device together, so that a guesser elsewhere can't delay the device, and against the source as a whole,
/// so that one source can't try all devices. Who has proven a key by the handshake is limited by that key
/// alone: devices behind one address don't delay each other's renewals.
public final class FailureLimits {
    private final FailureLimit each = new FailureLimit(10);
    private final FailureLimit sources = new FailureLimit(300);

    /// @param name whose failures these are
    /// @param source where from; empty for a proven key
    public record Caller(String name, String source) {}

    /// @param remoteAddress address and port, as our socket saw them
    public static Caller caller(Credential credential, String remoteAddress) {
        return switch (credential) {
            case Credential.Token token -> unproven(token.device(), remoteAddress);
            case Credential.SharedSecret secret -> unproven(secret.device(), remoteAddress);
            case Credential.Account account -> new Caller("account " + account.account(), "");
            case Credential.Tpm tpm -> unproven(tpm.device(), remoteAddress);
            case Credential.Manufacturer by -> key(by.leaf());
            case Credential.Claim by -> unproven(by.device(), remoteAddress); // a batch shares one key
            case Credential.Operational by -> key(by.leaf());
        };
    }

    /// Of a name that nothing proves yet.
    public static Caller unproven(DeviceId named, String remoteAddress) {
        String source = source(remoteAddress);
        return new Caller(source + " " + named, source);
    }

    private static Caller key(X509Certificate leaf) {
        return new Caller(Certificates.keyFingerprint(leaf.getPublicKey().getEncoded()), "");
    }

    /// The address, or of IPv6 the network of 64 bits that one subscriber has to himself.
    static String source(String remoteAddress) {
        int port = remoteAddress.lastIndexOf(':');
        String address = port < 0 ? remoteAddress : remoteAddress.substring(0, port);
        String[] groups = address.split(":", -1);
        return groups.length == 8 ? String.join(":", groups[0], groups[1], groups[2], groups[3]) : address;
    }

    public boolean isOver(Caller caller, Instant now) {
        return each.isOver(caller.name(), now) || (!caller.source().isEmpty() && sources.isOver(caller.source(), now));
    }

    /// A right token with a request that can't be granted is not a guess.
    public void refused(Caller caller, EnrolmentRefusal reason, Instant now) {
        if (caller.source().isEmpty()) {
            each.failed(caller.name(), now);
        } else if (reason.isAuthenticationFailure()) {
            each.failed(caller.name(), now);
            sources.failed(caller.source(), now);
        }
    }

    /// How often somebody may fail to authenticate: so many times a minute for one name, bounded in memory.
    private static final class FailureLimit {
        private static final Duration WINDOW = Duration.ofMinutes(1);
        private static final int REMEMBERED = 10_000;
        private final int most;
        private final Map<String, Window> windows = new LinkedHashMap<>(64, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Window> eldest) {
                return size() > REMEMBERED;
            }
        };

        private record Window(Instant since, int failures) {}

        FailureLimit(int most) {
            this.most = most;
        }

        synchronized boolean isOver(String name, Instant now) {
            Window window = windows.get(name);
            return window != null
                    && window.failures() >= most
                    && Duration.between(window.since(), now).compareTo(WINDOW) < 0;
        }

        synchronized void failed(String name, Instant now) {
            windows.merge(
                    name,
                    new Window(now, 1),
                    (before, fresh) -> Duration.between(before.since(), now).compareTo(WINDOW) < 0
                            ? new Window(before.since(), before.failures() + 1)
                            : fresh);
        }
    }
}
