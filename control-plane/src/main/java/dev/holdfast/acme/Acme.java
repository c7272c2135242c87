package dev.holdfast.acme;

import dev.holdfast.ca.Ca;
import dev.holdfast.config.Configuration;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.identity.FailureLimits;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Network;
import dev.holdfast.journal.Journal;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeKey;
import dev.holdfast.protocol.acme.AcmeProblem;
import dev.holdfast.protocol.acme.ChallengeType;
import dev.holdfast.protocol.acme.SignedMessage;
import io.vertx.core.Vertx;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/// What ACME's signed requests come to. An account speaks for one device; whether the device gets a certificate
/// is decided where it is for every protocol.
public final class Acme {
    private static final DeviceId STRANGER = new DeviceId("acme-account");
    private final Nonces nonces;
    private final Accounts accounts;
    private final Orders orders;
    private final Challenges challenges;
    private final Finalization finalization;
    private final Downloads downloads;
    private final FailureLimits failures;
    private final InstantSource clock;

    /// @param vertx for asking the DNS
    /// @param installation the same on every node
    /// @param formats of attestation that other rooms verify, beside `packed`
    /// @param renewAt when a certificate is to be renewed; empty for one that does not count any more
    /// @throws IllegalArgumentException when the configuration's networks or resolver can't be read
    public Acme(
            Database database,
            Journal journal,
            Identity identity,
            Inventory inventory,
            Ca ca,
            Configuration configuration,
            Vertx vertx,
            InstantSource clock,
            SecureRandom random,
            byte[] installation,
            Map<String, AttestationVerifier> formats,
            Function<Serial, Optional<Instant>> renewAt) {
        Configuration.Acme settings = configuration.acme();
        AllowedTargets targets = new AllowedTargets(networks(settings.networks()), settings.loopback());
        DnsChallengeClient dns = new DnsChallengeClient(
                vertx, Optional.ofNullable(settings.resolver()).map(DnsChallengeClient.HostAndPort::parse));
        Set<ChallengeType> offered = EnumSet.noneOf(ChallengeType.class);
        if (!targets.isNowhere()) {
            offered.add(ChallengeType.HTTP_01);
        }
        if (settings.resolver() != null) {
            offered.add(ChallengeType.DNS_01);
        }
        Map<String, AttestationVerifier> verifiers = new TreeMap<>(formats);
        verifiers.putIfAbsent("tpm", new TpmAttestation(identity.manufacturers(), clock));
        verifiers.putIfAbsent("packed", new ManufacturerAttestation(identity.manufacturers(), clock));
        Ids ids = new Ids(random);
        this.clock = clock;
        this.nonces = new Nonces(database, clock, random, installation);
        this.accounts =
                new Accounts(database, journal, identity, inventory, new Environment(configuration.environment()), ids);
        this.orders = new Orders(database, journal, identity, ids, clock, offered);
        this.challenges = new Challenges(
                database, journal, clock, new HttpChallengeClient(dns, targets, settings.httpPort()), dns, verifiers);
        this.finalization = new Finalization(journal, identity, orders, clock);
        this.downloads = new Downloads(identity, ca, renewAt, clock);
        this.failures = identity.enrolment().failures();
    }

    private static List<Network> networks(String text) {
        return Arrays.stream(text.split(",", -1))
                .map(String::strip)
                .filter(one -> !one.isEmpty())
                .map(one -> {
                    try {
                        return Network.parse(one);
                    } catch (IllegalArgumentException e) {
                        throw new IllegalArgumentException("acme.networks: '" + one + "': " + e.getMessage(), e);
                    }
                })
                .toList();
    }

    /// For operators, too.
    public Accounts accounts() {
        return accounts;
    }

    Nonces nonces() {
        return nonces;
    }

    Downloads downloads() {
        return downloads;
    }

    /// RFC 8555 section 6: 1. the form; 2. the URL it was signed for is this one; 3. the key: the account's,
    /// or, where an account is made or a certificate's key revokes, the one in the message; 4. the signature;
    /// 5. the nonce, used up from here on; 6. what it asks for. Blocks.
    ///
    /// @param resource the path after the directory's
    AcmeReply signed(Urls urls, CertificateProfile profile, String resource, byte[] body, String remote)
            throws AcmeException {
        SignedMessage message = SignedMessage.parse(body, SignedMessage.Place.REQUEST);
        if (!message.url().equals(urls.at(resource))) {
            throw new AcmeException(
                    AcmeProblem.UNAUTHORIZED, "the message is signed for another URL: " + urls.at(resource));
        }
        String nonce = message.nonce().orElseThrow();
        if (!nonces.isOurs(nonce)) {
            throw badNonce();
        }
        return switch (message.sender()) {
            case SignedMessage.Sender.ByKey by -> {
                message.verify(by.key());
                use(nonce);
                yield byKey(urls, profile, resource, message, by.key(), remote);
            }
            case SignedMessage.Sender.ById by -> {
                Account account = accounts.find(
                        urls.accountId(by.id())
                                .orElseThrow(() -> new AcmeException(
                                        AcmeProblem.UNAUTHORIZED, "'kid' is no account of this directory")),
                        profile);
                message.verify(account.key());
                use(nonce);
                yield new AccountRequests(accounts, orders, challenges, finalization, downloads, clock)
                        .reply(urls, profile, account, resource, message, remote);
            }
        };
    }

    private void use(String nonce) throws AcmeException {
        if (!nonces.use(nonce)) {
            throw badNonce();
        }
    }

    private static AcmeException badNonce() {
        return new AcmeException(
                AcmeProblem.BAD_NONCE, "the nonce is none of ours, has ended or was used; take the new one");
    }

    private AcmeReply byKey(
            Urls urls, CertificateProfile profile, String resource, SignedMessage message, AcmeKey key, String remote)
            throws AcmeException {
        return switch (resource) {
            case "new-account" -> {
                Accounts.Found found = open(profile, message, key, remote);
                yield AcmeReply.of(found.fresh() ? 201 : 200, Shapes.account(found.account(), urls))
                        .with("location", urls.account(found.account().id()));
            }
            case "revoke-cert" -> {
                downloads.revoke(Optional.empty(), Optional.of(key), message.payload());
                yield AcmeReply.nothing(200);
            }
            default -> throw new AcmeException(AcmeProblem.MALFORMED, "name the account by 'kid' here");
        };
    }

    /// Whoever fails to bind an account is slowed down by where they come from.
    private Accounts.Found open(CertificateProfile profile, SignedMessage message, AcmeKey key, String remote)
            throws AcmeException {
        FailureLimits.Caller source = FailureLimits.unproven(STRANGER, remote);
        if (failures.isOver(source, clock.instant())) {
            throw new AcmeException(AcmeProblem.RATE_LIMITED, "too many failed attempts; wait a minute");
        }
        try {
            return accounts.open(profile, message, key);
        } catch (AcmeException e) {
            if (e.problem() == AcmeProblem.UNAUTHORIZED) {
                failures.refused(source, EnrolmentRefusal.SECRET_WRONG, clock.instant());
            }
            throw e;
        }
    }
}
