package dev.holdfast.acme;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.profiles.CertificateProfile.Attestation;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeIdentifier;
import dev.holdfast.protocol.acme.AcmeKey;
import dev.holdfast.protocol.acme.ChallengeType;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.Record;

/// The tables of accounts, orders, authorizations, challenges and used nonces.
final class AcmeStore {
    private static final String ACCOUNT = "select id, environment, device, profile, key, state from acme_account";
    private static final String ORDER = "select id, account, state, identifiers, replaces, expires_at, request,"
            + " finalized_from, serial, problem from acme_order";
    private static final String AUTHORIZATION =
            "select a.id, a.order_id, o.account, a.identifier, a.state, a.expires_at"
                    + " from acme_authorization a join acme_order o on o.id = a.order_id";
    private static final String CHALLENGE = "select id, authorization_id, type, token, state, answered_at,"
            + " validated_at, problem, attested_key, attested_as from acme_challenge";

    private AcmeStore() {}

    // ------------------------------------------------------------------ nonces

    /// @return false when it was used before
    static boolean useNonce(DSLContext sql, String nonce, Instant expires) {
        return sql.execute(
                        "insert into acme_nonce(nonce, expires_at) values (?, ?) on conflict (nonce) do nothing",
                        nonce,
                        utc(expires))
                == 1;
    }

    static void forgetNonces(DSLContext sql, Instant now) {
        sql.execute("delete from acme_nonce where expires_at < ?", utc(now));
    }

    // ------------------------------------------------------------------ accounts

    static void insert(DSLContext sql, Account account, String secretId, Instant now) {
        sql.execute(
                "insert into acme_account(id, environment, device, profile, thumbprint, key, secret_id, state,"
                        + " created_at) values (?, ?, ?, ?, ?, ?, ?, 'valid', ?)",
                account.id(),
                account.device().environment().value(),
                account.device().id().value(),
                account.profile(),
                account.key().thumbprint(),
                account.key().json(),
                secretId,
                utc(now));
    }

    static Optional<Account> account(DSLContext sql, String id, boolean lock) {
        return sql.fetchOptional(ACCOUNT + " where id = ?" + (lock ? " for update" : ""), id)
                .map(AcmeStore::account);
    }

    static Optional<Account> accountOfKey(DSLContext sql, Environment environment, String profile, String thumbprint) {
        return sql.fetchOptional(
                        ACCOUNT + " where environment = ? and profile = ? and thumbprint = ?",
                        environment.value(),
                        profile,
                        thumbprint)
                .map(AcmeStore::account);
    }

    static void setKey(DSLContext sql, String id, AcmeKey key) {
        sql.execute("update acme_account set thumbprint = ?, key = ? where id = ?", key.thumbprint(), key.json(), id);
    }

    static void deactivate(DSLContext sql, String id, Instant now) {
        sql.execute("update acme_account set state = 'deactivated', deactivated_at = ? where id = ?", utc(now), id);
        sql.execute("update acme_order set state = 'invalid' where account = ? and state in ('pending','ready')", id);
    }

    private static Account account(Record row) {
        try {
            return new Account(
                    row.get(0, String.class),
                    DeviceRef.of(row.get(1, String.class), row.get(2, String.class)),
                    row.get(3, String.class),
                    AcmeKey.parse(row.get(4, String.class)),
                    row.get(5, String.class).equals("valid"));
        } catch (AcmeException e) {
            throw new IllegalStateException("a stored account key can't be read", e);
        }
    }

    /// @param id of the one that is looked for
    /// @param after begin after this id
    static List<Accounts.Listed> listed(
            DSLContext sql,
            Environment environment,
            Optional<String> id,
            Optional<DeviceRef> device,
            String after,
            int limit) {
        return sql.fetch(
                        "select a.id, a.environment, a.device, a.profile, a.thumbprint, a.secret_id, a.state, a.created_at,"
                                + " a.deactivated_at, o.orders, o.issued, o.last from acme_account a"
                                + " left join lateral (select count(*) as orders, count(serial) as issued,"
                                + " max(created_at) as last from acme_order where account = a.id) o on true"
                                + " where a.environment = ? and a.id > ?"
                                + " and (?::text is null or a.id = ?::text) and (?::text is null or a.device = ?::text)"
                                + " order by a.id limit ?",
                        environment.value(),
                        after,
                        id.orElse(null),
                        id.orElse(null),
                        device.map(d -> d.id().value()).orElse(null),
                        device.map(d -> d.id().value()).orElse(null),
                        limit)
                .map(row -> new Accounts.Listed(
                        row.get(0, String.class),
                        DeviceRef.of(row.get(1, String.class), row.get(2, String.class)),
                        row.get(3, String.class),
                        row.get(4, String.class),
                        row.get(5, String.class),
                        row.get(6, String.class).equals("valid"),
                        row.get(7, OffsetDateTime.class).toInstant(),
                        Optional.ofNullable(row.get(8, OffsetDateTime.class)).map(OffsetDateTime::toInstant),
                        row.get(9, Long.class),
                        row.get(10, Long.class),
                        Optional.ofNullable(row.get(11, OffsetDateTime.class)).map(OffsetDateTime::toInstant)));
    }

    // ------------------------------------------------------------------ orders

    /// @return false when another order that is not invalid replaces the same certificate
    static boolean insert(DSLContext sql, Order order, Instant now) {
        return sql.execute(
                        "insert into acme_order(id, account, state, identifiers, replaces, expires_at, created_at)"
                                + " values (?, ?, ?, ?, ?, ?, ?) on conflict (replaces) where state <> 'invalid' do nothing",
                        order.id(),
                        order.account(),
                        order.state().text(),
                        order.identifiers().stream().map(AcmeIdentifier::text).collect(Collectors.joining("\n")),
                        order.replaces().orElse(null),
                        utc(order.expiresAt()),
                        utc(now))
                == 1;
    }

    static Optional<Order> order(DSLContext sql, String id, boolean lock) {
        return sql.fetchOptional(ORDER + " where id = ?" + (lock ? " for update" : ""), id)
                .map(AcmeStore::order);
    }

    static int open(DSLContext sql, String account, Instant now) {
        return sql.fetchSingle(
                        "select count(*) from acme_order where account = ? and expires_at > ?"
                                + " and state in ('pending','ready','processing')",
                        account,
                        utc(now))
                .get(0, Integer.class);
    }

    static List<String> ordersOf(DSLContext sql, String account, Instant now, int limit) {
        return sql.fetch(
                        "select id from acme_order where account = ? and expires_at > ? and state <> 'invalid'"
                                + " order by created_at desc limit ?",
                        account,
                        utc(now),
                        limit)
                .map(row -> row.get(0, String.class));
    }

    static void setState(DSLContext sql, String order, Order.State state) {
        sql.execute("update acme_order set state = ? where id = ?", state.text(), order);
    }

    static void processing(DSLContext sql, String order, byte[] request, String from) {
        sql.execute(
                "update acme_order set state = 'processing', request = ?, finalized_from = ? where id = ?",
                request,
                from,
                order);
    }

    static void issued(DSLContext sql, String order, Serial serial) {
        sql.execute(
                "update acme_order set state = 'valid', serial = ?, finalized_from = null where id = ?",
                serial.hex(),
                order);
    }

    static void failed(DSLContext sql, String order, Fault fault) {
        sql.execute(
                "update acme_order set state = 'invalid', problem = ?, finalized_from = null where id = ?",
                fault.stored(),
                order);
    }

    private static Order order(Record row) {
        return new Order(
                row.get(0, String.class),
                row.get(1, String.class),
                Order.State.of(row.get(2, String.class)),
                Arrays.stream(row.get(3, String.class).split("\n", -1))
                        .map(AcmeIdentifier::ofText)
                        .toList(),
                Optional.ofNullable(row.get(4, String.class)),
                row.get(5, OffsetDateTime.class).toInstant(),
                Optional.ofNullable(row.get(6, byte[].class)),
                Optional.ofNullable(row.get(7, String.class)).orElse(""),
                Optional.ofNullable(row.get(8, String.class)).map(Serial::new),
                Optional.ofNullable(row.get(9, String.class)).map(Fault::ofStored));
    }

    // ------------------------------------------------------------------ authorizations and challenges

    static void insert(DSLContext sql, Authorization authorization) {
        sql.execute(
                "insert into acme_authorization(id, order_id, identifier, state, expires_at) values (?, ?, ?, ?, ?)",
                authorization.id(),
                authorization.order(),
                authorization.identifier().text(),
                authorization.state().text(),
                utc(authorization.expiresAt()));
        for (Challenge challenge : authorization.challenges()) {
            sql.execute(
                    "insert into acme_challenge(id, authorization_id, type, token, state) values (?, ?, ?, ?, ?)",
                    challenge.id(),
                    authorization.id(),
                    challenge.type().text(),
                    challenge.token(),
                    challenge.state().text());
        }
    }

    static Optional<Authorization> authorization(DSLContext sql, String id) {
        return sql.fetchOptional(AUTHORIZATION + " where a.id = ?", id).map(row -> authorization(sql, row));
    }

    /// In the order of their identifiers.
    static List<Authorization> authorizations(DSLContext sql, String order) {
        return sql.fetch(AUTHORIZATION + " where a.order_id = ? order by a.identifier", order)
                .map(row -> authorization(sql, row));
    }

    static Optional<Challenge> challenge(DSLContext sql, String id) {
        return sql.fetchOptional(CHALLENGE + " where id = ?", id).map(AcmeStore::challenge);
    }

    static void setState(DSLContext sql, String authorization, Authorization.State state) {
        sql.execute("update acme_authorization set state = ? where id = ?", state.text(), authorization);
    }

    /// Begins to look at an answer, or begins again where the last one to begin seems to have died.
    ///
    /// @return false when it is looked at already, or has been
    static boolean begin(DSLContext sql, String challenge, Instant now, Instant stale) {
        return sql.execute(
                        "update acme_challenge set state = 'processing', answered_at = ? where id = ?"
                                + " and (state = 'pending' or (state = 'processing' and answered_at < ?))",
                        utc(now),
                        challenge,
                        utc(stale))
                == 1;
    }

    static void settle(DSLContext sql, Challenge challenge) {
        sql.execute(
                "update acme_challenge set state = ?, validated_at = ?, problem = ?, attested_key = ?, attested_as = ?"
                        + " where id = ?",
                challenge.state().text(),
                challenge.validatedAt().map(AcmeStore::utc).orElse(null),
                challenge.fault().map(Fault::stored).orElse(null),
                challenge.evidence().map(Evidence::keyFingerprint).orElse(null),
                challenge.evidence().map(e -> e.kind().text()).orElse(null),
                challenge.id());
    }

    private static Authorization authorization(DSLContext sql, Record row) {
        return new Authorization(
                row.get(0, String.class),
                row.get(1, String.class),
                row.get(2, String.class),
                AcmeIdentifier.ofText(row.get(3, String.class)),
                Authorization.State.of(row.get(4, String.class)),
                row.get(5, OffsetDateTime.class).toInstant(),
                sql.fetch(CHALLENGE + " where authorization_id = ? order by type desc", row.get(0, String.class))
                        .map(AcmeStore::challenge));
    }

    private static Challenge challenge(Record row) {
        Optional<String> attested = Optional.ofNullable(row.get(8, String.class));
        return new Challenge(
                row.get(0, String.class),
                row.get(1, String.class),
                ChallengeType.parse(row.get(2, String.class)).orElseThrow(),
                row.get(3, String.class),
                Challenge.State.of(row.get(4, String.class)),
                Optional.ofNullable(row.get(5, OffsetDateTime.class)).map(OffsetDateTime::toInstant),
                Optional.ofNullable(row.get(6, OffsetDateTime.class)).map(OffsetDateTime::toInstant),
                Optional.ofNullable(row.get(7, String.class)).map(Fault::ofStored),
                attested.map(key -> new Evidence(
                        key, Attestation.parse(row.get(9, String.class)).orElseThrow())));
    }

    /// Orders that ended long ago, with all that hangs on them.
    static void forgetOrders(DSLContext sql, Instant before) {
        sql.execute("delete from acme_order where expires_at < ?", utc(before));
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
