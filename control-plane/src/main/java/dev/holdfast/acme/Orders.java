package dev.holdfast.acme;

import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeIdentifier;
import dev.holdfast.protocol.acme.AcmePayload;
import dev.holdfast.protocol.acme.AcmeProblem;
import dev.holdfast.protocol.acme.CertificateId;
import dev.holdfast.protocol.acme.ChallengeType;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Orders and what hangs on them: made, and shown to the account that they belong to and to nobody else.
final class Orders {
    private static final Duration LIFETIME = Duration.ofDays(1);
    private static final Duration KEPT = Duration.ofDays(90);
    private static final int MOST_OPEN = 50;
    static final int LISTED = 100;

    private final Database database;
    private final Journal journal;
    private final Identity identity;
    private final Ids ids;
    private final InstantSource clock;
    private final Set<ChallengeType> offered;

    /// @param offered challenges for DNS names
    Orders(
            Database database,
            Journal journal,
            Identity identity,
            Ids ids,
            InstantSource clock,
            Set<ChallengeType> offered) {
        this.database = database;
        this.journal = journal;
        this.identity = identity;
        this.ids = ids;
        this.clock = clock;
        this.offered = offered;
    }

    /// RFC 8555 section 7.4 and RFC 9773 section 5.
    Order create(Account account, CertificateProfile profile, byte[] payload) throws AcmeException {
        AcmePayload.NewOrder wish = AcmePayload.NewOrder.parse(payload);
        if (wish.notBefore().isPresent() || wish.notAfter().isPresent()) {
            throw new AcmeException(
                    AcmeProblem.MALFORMED,
                    "how long a certificate counts is the profile's to say; leave both times out");
        }
        List<OrderPolicy.Plan> plans = OrderPolicy.plan(wish.identifiers(), account.device(), profile, offered);
        if (wish.replaces().isPresent()) {
            checkReplaces(account, wish.replaces().get());
        }
        Instant now = clock.instant();
        boolean ready = plans.stream().allMatch(OrderPolicy.Plan::proven);
        Order order = new Order(
                ids.fresh(),
                account.id(),
                ready ? Order.State.READY : Order.State.PENDING,
                plans.stream().map(OrderPolicy.Plan::identifier).toList(),
                wish.replaces().map(CertificateId::text),
                now.plus(LIFETIME),
                Optional.empty(),
                "",
                Optional.empty(),
                Optional.empty());
        Optional<Fault> refused = journal.commit(tx -> store(tx, account, order, plans));
        if (refused.isPresent()) {
            throw new AcmeException(refused.get().problem(), refused.get().detail());
        }
        return order;
    }

    /// RFC 9773 section 5: a certificate of the same account's device, which no other order replaces.
    private void checkReplaces(Account account, CertificateId replaced) throws AcmeException {
        Optional<IssuedCertificate> found = replaced.serial().bitLength() > 160
                ? Optional.empty()
                : identity.certificate(Serial.of(replaced.serial()));
        if (found.flatMap(IssuedCertificate::device)
                .filter(account.device()::equals)
                .isEmpty()) {
            throw new AcmeException(AcmeProblem.MALFORMED, "'replaces' names no certificate of this account's device");
        }
    }

    private Optional<Fault> store(Transaction tx, Account account, Order order, List<OrderPolicy.Plan> plans) {
        AcmeStore.forgetOrders(tx.sql(), tx.now().minus(KEPT));
        if (AcmeStore.open(tx.sql(), account.id(), tx.now()) >= MOST_OPEN) {
            return Optional.of(new Fault(
                    AcmeProblem.RATE_LIMITED, "the account has " + MOST_OPEN + " orders that are not finished"));
        }
        if (!AcmeStore.insert(tx.sql(), order, tx.now())) {
            return Optional.of(
                    new Fault(AcmeProblem.ALREADY_REPLACED, "another order replaces that certificate already"));
        }
        for (OrderPolicy.Plan plan : plans) {
            String id = ids.fresh();
            String token = ids.fresh();
            List<Challenge> challenges = new ArrayList<>();
            for (ChallengeType type : plan.challenges()) {
                challenges.add(new Challenge(
                        ids.fresh(),
                        id,
                        type,
                        token,
                        Challenge.State.PENDING,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty()));
            }
            AcmeStore.insert(
                    tx.sql(),
                    new Authorization(
                            id,
                            order.id(),
                            account.id(),
                            plan.identifier(),
                            plan.proven() ? Authorization.State.VALID : Authorization.State.PENDING,
                            order.expiresAt(),
                            challenges));
        }
        tx.record(new Entry(
                "acme.order-created",
                account.device().environment(),
                Inventory.subject(account.device()),
                Accounts.actor(account.device()),
                "its ACME account ordered a certificate",
                Map.of(
                        "account", account.id(),
                        "order", order.id(),
                        "profile", account.profile(),
                        "identifiers",
                                order.identifiers().stream()
                                        .map(AcmeIdentifier::text)
                                        .toList())));
        return Optional.empty();
    }

    /// @throws AcmeException the same for one that is not there and one that is another account's
    Order find(Account account, String id) throws AcmeException {
        return bounded(id)
                .flatMap(i -> database.read(sql -> AcmeStore.order(sql, i, false)))
                .filter(order -> order.account().equals(account.id()))
                .orElseThrow(() -> none("order"));
    }

    List<Authorization> authorizations(Order order) {
        return database.read(sql -> AcmeStore.authorizations(sql, order.id()));
    }

    Authorization authorization(Account account, String id) throws AcmeException {
        return bounded(id)
                .flatMap(i -> database.read(sql -> AcmeStore.authorization(sql, i)))
                .filter(authorization -> authorization.account().equals(account.id()))
                .orElseThrow(() -> none("authorization"));
    }

    /// Its authorization, in which it is.
    Authorization ofChallenge(Account account, String challenge) throws AcmeException {
        return bounded(challenge)
                .flatMap(i -> database.read(sql -> AcmeStore.challenge(sql, i)))
                .flatMap(found -> database.read(sql -> AcmeStore.authorization(sql, found.authorization())))
                .filter(authorization -> authorization.account().equals(account.id()))
                .orElseThrow(() -> none("challenge"));
    }

    /// Section 7.1.2.1.
    List<String> of(Account account) {
        return database.read(sql -> AcmeStore.ordersOf(sql, account.id(), clock.instant(), LISTED));
    }

    /// Section 7.5.2: the account gives the authorization up, and with it the order.
    void deactivate(Account account, Authorization authorization) {
        journal.run(tx -> {
            Optional<Order> order = AcmeStore.order(tx.sql(), authorization.order(), true);
            boolean open = order.isPresent()
                    && (order.get().state() == Order.State.PENDING
                            || order.get().state() == Order.State.READY);
            AcmeStore.setState(tx.sql(), authorization.id(), Authorization.State.DEACTIVATED);
            if (open) {
                AcmeStore.setState(tx.sql(), authorization.order(), Order.State.INVALID);
            }
            tx.record(new Entry(
                    "acme.authorization-deactivated",
                    account.device().environment(),
                    Inventory.subject(account.device()),
                    Accounts.actor(account.device()),
                    "its account gave it up",
                    Map.of(
                            "authorization", authorization.id(),
                            "identifier", authorization.identifier().text())));
        });
    }

    private static Optional<String> bounded(String id) {
        return id.isEmpty() || id.length() > 64 ? Optional.empty() : Optional.of(id);
    }

    private static AcmeException none(String what) {
        return new AcmeException(AcmeProblem.MALFORMED, "this account has no such " + what);
    }
}
