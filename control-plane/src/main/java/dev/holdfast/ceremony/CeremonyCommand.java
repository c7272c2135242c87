package dev.holdfast.ceremony;

import dev.holdfast.protocol.ceremony.KeyShare;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.protocol.x509.NameLimits;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.x509.CRLReason;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `holdfast ceremony ...`: for a machine without a network; no server, no configuration, no data folder.
@Command(
        name = "ceremony",
        mixinStandardHelpOptions = true,
        description = "The root ceremony, offline: makes a root whose key is kept in shares, and signs with them.",
        synopsisSubcommandLabel = "COMMAND")
public final class CeremonyCommand {
    private static final PrintStream OUT = System.out;
    private static final PrintStream ERR = System.err;

    private final InstantSource clock;
    private final SecureRandom random;

    public CeremonyCommand(InstantSource clock, SecureRandom random) {
        this.clock = clock;
        this.random = random;
    }

    /// What every act at the table needs.
    static final class Table {
        @Option(
                names = "--people",
                required = true,
                split = ",",
                paramLabel = "NAME",
                description = "Who is there, separated by commas; each signs the protocol.")
        private List<String> people = List.of();

        @Option(
                names = "--out",
                required = true,
                paramLabel = "DIR",
                description = "A folder that does not exist yet: what leaves the table.")
        private Path out = Path.of("ceremony");
    }

    /// What every act with an existing root needs.
    static final class Root {
        @Option(names = "--root", required = true, paramLabel = "FILE", description = "The root's certificate, PEM.")
        private Path root = Path.of("root.pem");

        @Option(
                names = "--share",
                paramLabel = "FILE",
                description = "A share; repeat it. Without any, shares are typed, each ended by an empty line.")
        private List<Path> shares = List.of();

        private X509Certificate certificate() throws CeremonyException {
            return CeremonyStore.certificate(root);
        }

        private List<KeyShare> read() throws CeremonyException {
            if (!shares.isEmpty()) {
                return CeremonyStore.shares(shares);
            }
            ERR.println("Type the shares, each ended by an empty line; after the last one press Ctrl-D.");
            return CeremonyStore.typed(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
        }
    }

    @Command(
            name = "root",
            mixinStandardHelpOptions = true,
            description = "Makes a root; its key is split into shares and forgotten.")
    int root(
            @Mixin Table table,
            @Option(names = "--name", required = true, paramLabel = "NAME", description = "Its common name.")
                    String name,
            @Option(names = "--organization", required = true, paramLabel = "NAME") String organization,
            @Option(names = "--shares", defaultValue = "5", paramLabel = "N", description = "(default: 5)") int shares,
            @Option(
                            names = "--threshold",
                            defaultValue = "3",
                            paramLabel = "M",
                            description = "How many shares restore the key (default: 3).")
                    int threshold,
            @Option(names = "--key", defaultValue = "ec-p384", paramLabel = "ec-p384|ec-p256") String key,
            @Option(
                            names = "--rehearse",
                            description = "For practice: the root, its shares and all it signs say REHEARSAL.")
                    boolean rehearse) {
        return run(table, ceremony -> ceremony.root(name, organization, kind(key), threshold, shares, rehearse));
    }

    @Command(
            name = "sign",
            mixinStandardHelpOptions = true,
            description = "Certifies an issuer's request (holdfast cert ca-request).")
    int sign(
            @Mixin Table table,
            @Mixin Root root,
            @Option(names = "--request", required = true, paramLabel = "FILE") Path request,
            @Option(names = "--days", defaultValue = "1825", paramLabel = "N", description = "(default: 1825)")
                    int days,
            @Option(
                            names = "--permit-dns",
                            split = ",",
                            paramLabel = "DOMAIN",
                            description =
                                    "Domains whose names it may certify, with all below; without it: no DNS names.")
                    @Nullable
                    List<String> dns,
            @Option(
                            names = "--permit-ip",
                            split = ",",
                            paramLabel = "ADDRESS",
                            description = "IPv4 addresses that it may certify; without it: none.")
                    @Nullable
                    List<String> addresses,
            @Option(names = "--no-name-limits", description = "No name constraints at all.") boolean unlimited) {
        return run(
                table,
                ceremony -> ceremony.sign(
                        root.certificate(),
                        root.read(),
                        CeremonyStore.text(request),
                        days(days),
                        unlimited ? Optional.empty() : Optional.of(limits(dns, addresses))));
    }

    @Command(
            name = "cross",
            mixinStandardHelpOptions = true,
            description =
                    "Certifies another root of yours, for a rollover: once the old the new, once the new the old.")
    int cross(
            @Mixin Table table,
            @Mixin Root root,
            @Option(names = "--other", required = true, paramLabel = "FILE", description = "The other root, PEM.")
                    Path other,
            @Option(names = "--days", defaultValue = "1825", paramLabel = "N") int days) {
        return run(
                table,
                ceremony ->
                        ceremony.cross(root.certificate(), root.read(), CeremonyStore.certificate(other), days(days)));
    }

    @Command(name = "revoke", mixinStandardHelpOptions = true, description = "Signs the list of issuers taken back.")
    int revoke(
            @Mixin Table table,
            @Mixin Root root,
            @Option(
                            names = "--issuer",
                            required = true,
                            paramLabel = "FILE",
                            description = "Repeat it: all taken back so far.")
                    List<Path> issuers,
            @Option(
                            names = "--reason",
                            defaultValue = "ca-compromise",
                            paramLabel = "ca-compromise|superseded",
                            description = "superseded: of a root's certificate by this one (default: ca-compromise).")
                    String reason,
            @Option(names = "--days", defaultValue = "365", paramLabel = "N") int days) {
        return run(table, ceremony -> {
            List<X509Certificate> read = new ArrayList<>();
            for (Path issuer : issuers) {
                read.add(CeremonyStore.certificate(issuer));
            }
            return ceremony.revoke(root.certificate(), root.read(), read, reason(reason), days(days));
        });
    }

    @Command(
            name = "restore",
            mixinStandardHelpOptions = true,
            description =
                    "Shows that shares still give the root's key, and keeps nothing of it: practise it every year.")
    int restore(@Mixin Table table, @Mixin Root root) {
        return run(table, ceremony -> ceremony.restore(root.certificate(), root.read()));
    }

    @Command(
            name = "verify-share",
            mixinStandardHelpOptions = true,
            description = "Says whether a share is whole, and of which root; shows nothing of it.")
    int verifyShare(
            @Parameters(paramLabel = "FILE") Path file,
            @Option(names = "--root", paramLabel = "FILE", description = "Compare with this root.") @Nullable
                    Path root) {
        try {
            KeyShare share = CeremonyStore.shares(List.of(file)).getFirst();
            if (root != null
                    && !RootKey.name(CeremonyStore.certificate(root).getPublicKey())
                            .equals(share.root())) {
                throw new CeremonyException("it is a share of another root: " + share.root());
            }
            OUT.println("whole: " + share);
            return 0;
        } catch (CeremonyException e) {
            ERR.println("holdfast: " + e.getMessage());
            return 1;
        }
    }

    private interface Act {
        Ceremony.Outcome run(Ceremony ceremony) throws CeremonyException;
    }

    private int run(Table table, Act act) {
        try {
            Ceremony.Outcome outcome = act.run(new Ceremony(table.people, clock.instant(), random));
            CeremonyStore.write(table.out, outcome.files(), outcome.protocol(), outcome.record());
            OUT.print(outcome.protocol().text());
            OUT.println(
                    "In " + table.out + ": " + String.join(", ", outcome.files().keySet())
                            + (outcome.files().isEmpty() ? "" : ", ") + "protocol.txt, protocol.html, record.json");
            return 0;
        } catch (CeremonyException e) {
            ERR.println("holdfast: " + e.getMessage());
            return 1;
        }
    }

    private static int reason(String text) throws CeremonyException {
        return switch (text) {
            case "ca-compromise" -> CRLReason.cACompromise;
            case "superseded" -> CRLReason.superseded;
            default -> throw new CeremonyException("--reason is ca-compromise or superseded");
        };
    }

    private static KeyKind kind(String text) throws CeremonyException {
        return KeyKind.parse(text)
                .filter(kind -> kind == KeyKind.EC_P256 || kind == KeyKind.EC_P384)
                .orElseThrow(() -> new CeremonyException("--key is ec-p384 or ec-p256"));
    }

    private static Duration days(int days) throws CeremonyException {
        if (days < 1 || days > 7300) {
            throw new CeremonyException("--days is 1 to 7300");
        }
        return Duration.ofDays(days);
    }

    private static NameLimits limits(@Nullable List<String> dns, @Nullable List<String> addresses)
            throws CeremonyException {
        try {
            return new NameLimits(dns == null ? List.of() : dns, addresses == null ? List.of() : addresses);
        } catch (IllegalArgumentException e) {
            throw new CeremonyException(String.valueOf(e.getMessage()), e);
        }
    }
}
