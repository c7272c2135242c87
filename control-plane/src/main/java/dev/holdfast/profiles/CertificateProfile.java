package dev.holdfast.profiles;

import dev.holdfast.protocol.x509.KeyKind;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// What the certificates of one kind are like, and who may have one. Requests never decide any of this.
///
/// @param name also the EST label, the ACME directory's and the CMP path's
/// @param usages what the key may be used for in TLS
public record CertificateProfile(
        String name, Set<Usage> usages, Keys keys, Validity validity, Rotation rotation, Admittance admittance) {
    /// Clocks of devices are often a little behind: certificates begin this long before they are made.
    public static final Duration BACKDATED = Duration.ofMinutes(5);

    private static final int JITTER_PERCENT = 10;
    private static final Duration LATE_WINDOW = Duration.ofDays(365);

    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]{0,31}");

    public enum Usage {
        TLS_CLIENT,
        TLS_SERVER,
        /// Of our own OCSP responders (RFC 6960 section 4.2.2.2), never of a device.
        OCSP_SIGNING,
        /// Of our own time-stamping authority (RFC 3161 section 2.3), never of a device.
        TIME_STAMPING,
        /// Of who signs our answers to CMP (RFC 9810 section 4.5, id-kp-cmcCA), never of a device.
        CMP_AUTHORITY,
        /// Of our own registration authority for SCEP (RFC 6402 section 2.10), never of a device.
        REGISTRATION;

        /// As profiles write it: `tls-client`.
        public String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        /// One that an operator's profile may have.
        public static Optional<Usage> parseForProfile(String text) {
            return parse(text).filter(usage -> switch (usage) {
                case TLS_CLIENT, TLS_SERVER -> true;
                case OCSP_SIGNING, TIME_STAMPING, CMP_AUTHORITY, REGISTRATION -> false;
            });
        }

        public static Optional<Usage> parse(String text) {
            return java.util.Arrays.stream(values())
                    .filter(u -> u.text().equals(text))
                    .findFirst();
        }
    }

    /// @param kinds of keys that are certified
    /// @param serverGenerated whether the server makes keys for devices that can't (RFC 7030 section 4.4)
    public record Keys(Set<KeyKind> kinds, boolean serverGenerated) {
        public Keys {
            kinds = Set.copyOf(kinds);
            if (kinds.isEmpty() || !kinds.stream().allMatch(KeyKind::isIssuable)) {
                throw new IllegalArgumentException("keys are one or more of ec-p256, ec-p384, ed25519, rsa, ml-dsa-65");
            }
        }
    }

    /// @param lifetime from issuing to expiry, shortened where the authority itself ends sooner
    /// @param jitterPercent by up to this share of its lifetime a certificate is made to end sooner, so that
    ///     what was enrolled together does not end together; for clients that renew a fixed time before the end
    /// @param backdated how long before it is made a certificate begins; long for devices whose clock starts
    ///     somewhere
    public record Validity(Duration lifetime, int jitterPercent, Duration backdated) {
        public Validity {
            within("lifetime", lifetime, Duration.ofMinutes(1), Duration.ofDays(3660));
            within("backdated", backdated, Duration.ZERO, Duration.ofDays(3660));
            if (jitterPercent < 0 || jitterPercent > 50) {
                throw new IllegalArgumentException("jitterPercent is 0 to 50");
            }
        }
    }

    /// @param overlap how long a certificate still counts after the first use of its successor
    /// @param renewableAfterExpiry how long after expiry the certificate may still ask for its successor by
    ///     itself
    /// @param lateWindow how long after that it may with a person's approval
    public record Rotation(Duration overlap, Duration renewableAfterExpiry, Duration lateWindow) {
        public Rotation {
            within("overlap", overlap, Duration.ZERO, Duration.ofDays(90));
            within("renewableAfterExpiry", renewableAfterExpiry, Duration.ZERO, Duration.ofDays(3660));
            within("lateWindow", lateWindow, Duration.ZERO, Duration.ofDays(3660));
        }
    }

    /// Who may ask, and what must be shown beside the credential.
    ///
    /// @param credentials that a first certificate is given for; renewal with the certificate itself is always
    ///     possible
    /// @param approval whether a person decides about each first certificate
    /// @param channelBound whether proof of possession must be bound to the TLS channel (RFC 9266)
    /// @param dnsNames patterns of DNS names that may be certified beside the device's own name, for servers and
    ///     gateways: `{id}.gw.example.org` is the device's very own, `*.gw.example.org` (one label for the star)
    ///     may be any device's that the profile takes
    public record Admittance(
            Set<CredentialKind> credentials,
            boolean approval,
            boolean channelBound,
            Attestation attestation,
            List<String> dnsNames) {
        private static final Pattern DNS =
                Pattern.compile("([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
        private static final String ANY = "*.";
        private static final String ID = "{id}.";

        public Admittance {
            credentials = Set.copyOf(credentials);
            dnsNames = List.copyOf(dnsNames);
            if (credentials.isEmpty()) {
                throw new IllegalArgumentException("a profile accepts at least one kind of credential");
            }
            for (String pattern : dnsNames) {
                String fixed = pattern.startsWith(ANY)
                        ? pattern.substring(ANY.length())
                        : pattern.startsWith(ID) ? pattern.substring(ID.length()) : pattern;
                if (pattern.length() > 253 || !DNS.matcher(fixed).matches()) {
                    throw new IllegalArgumentException("not a pattern of DNS names: " + pattern);
                }
            }
        }

        /// Whether this name may be certified for this device: lower case, and by one of the patterns.
        ///
        /// @param device its id; only one that is a label itself (lower case, no dot) has names by `{id}`,
        ///     so that no two devices have the same
        public boolean allowsDns(String name, String device) {
            if (!DNS.matcher(name).matches()) {
                return false;
            }
            int dot = name.indexOf('.');
            String behind = dot > 0 ? name.substring(dot + 1) : "";
            return dnsNames.stream().anyMatch(pattern -> {
                if (pattern.startsWith(ANY)) {
                    return behind.equals(pattern.substring(ANY.length()));
                }
                return pattern.startsWith(ID)
                        ? behind.equals(pattern.substring(ID.length()))
                                && name.substring(0, dot).equals(device)
                        : name.equals(pattern);
            });
        }
    }

    /// By what a first certificate may be asked for.
    public enum CredentialKind {
        /// A one-time token (EST Basic, SCEP challenge).
        TOKEN,
        /// An initial device identity (IEEE 802.1AR).
        MANUFACTURER,
        /// A secret that both sides know and neither sends (CMP, ACME external account binding).
        SHARED_SECRET,
        /// A short-lived certificate that a batch of devices shares for claiming its own.
        CLAIM,
        /// A TPM whose endorsement key is known.
        TPM,
        /// An ACME account, bound to its device by a shared secret.
        ACCOUNT;

        public String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        public static Optional<CredentialKind> parse(String text) {
            return java.util.Arrays.stream(values())
                    .filter(k -> k.text().equals(text))
                    .findFirst();
        }
    }

    /// Evidence that the key is in the device it says.
    public enum Attestation {
        NONE,
        /// The key that the manufacturer put into the device vouches for the requested one.
        MANUFACTURER,
        /// A hardware TPM's.
        TPM,
        /// A software TPM's will do; for trying things out.
        SOFTWARE_TPM;

        public String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        public static Optional<Attestation> parse(String text) {
            return java.util.Arrays.stream(values())
                    .filter(a -> a.text().equals(text))
                    .findFirst();
        }
    }

    public CertificateProfile {
        usages = Set.copyOf(usages);
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("not a profile name (a-z, 0-9, hyphens, at most 32): " + name);
        }
        if (usages.isEmpty()) {
            throw new IllegalArgumentException("profile " + name + ": at least one usage");
        }
    }

    /// What a profile is like where nothing else is said.
    public static CertificateProfile of(String name, Usage usage, Duration lifetime, Duration renewableAfterExpiry) {
        return new CertificateProfile(
                name,
                Set.of(usage),
                new Keys(
                        EnumSet.of(KeyKind.EC_P256, KeyKind.EC_P384, KeyKind.ED25519, KeyKind.RSA, KeyKind.ML_DSA_65),
                        false),
                new Validity(lifetime, 0, BACKDATED),
                new Rotation(Duration.ZERO, renewableAfterExpiry, Duration.ZERO),
                new Admittance(EnumSet.allOf(CredentialKind.class), false, false, Attestation.NONE, List.of()));
    }

    /// What a profile of devices is like where nothing else is said: what is enrolled in one hour does not end
    /// in one hour, and a device that comes back late is not locked out for good, but waits for a person.
    public static CertificateProfile forDevices(String name, Duration lifetime, Duration renewableAfterExpiry) {
        CertificateProfile plain = of(name, Usage.TLS_CLIENT, lifetime, renewableAfterExpiry);
        return new CertificateProfile(
                name,
                plain.usages(),
                plain.keys(),
                new Validity(lifetime, JITTER_PERCENT, BACKDATED),
                new Rotation(Duration.ZERO, renewableAfterExpiry, LATE_WINDOW),
                plain.admittance());
    }

    private static void within(String what, Duration value, Duration least, Duration most) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(what + " is between " + least + " and " + most);
        }
    }
}
