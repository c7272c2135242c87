package dev.holdfast.access;

import dev.holdfast.core.Digest;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jspecify.annotations.Nullable;

/// The tables of accounts, passkeys, links, tokens and sessions.
final class AccessStore {
    private static final String ACCOUNT = "select a.id, a.name, a.role, a.locked, a.created_at, a.last_sign_in_at,"
            + " (select count(*) from passkey p where p.account = a.id) from account a";
    private static final String LINK =
            "select id, purpose, name, role, account, created_by, expires_at from access_link";
    private static final String TOKEN =
            "select id, name, scopes, account, created_at, expires_at, last_used_at from api_token";

    private AccessStore() {}

    // ------------------------------------------------------------------ accounts

    static void insertAccount(DSLContext sql, String id, String name, Role role, Instant now) {
        sql.execute(
                "insert into account(id, name, role, created_at) values (?, ?, ?, ?::timestamptz)",
                id,
                name,
                role.text(),
                utc(now));
    }

    static Optional<Account> account(DSLContext sql, String id) {
        return sql.fetchOptional(ACCOUNT + " where a.id = ?", id).map(AccessStore::account);
    }

    static List<Account> accounts(DSLContext sql) {
        return sql.fetch(ACCOUNT + " order by a.created_at, a.id").map(AccessStore::account);
    }

    /// Every account row locked, so that two changes can't both take away the last admin.
    static List<Account> lockAccounts(DSLContext sql) {
        sql.execute("select 1 from account for update");
        return accounts(sql);
    }

    static boolean noAccounts(DSLContext sql) {
        return sql.fetchOptional("select 1 from account limit 1").isEmpty();
    }

    static void updateAccount(DSLContext sql, String id, Role role, boolean locked) {
        sql.execute("update account set role = ?, locked = ? where id = ?", role.text(), locked, id);
    }

    static void signedIn(DSLContext sql, String account, Instant now) {
        sql.execute("update account set last_sign_in_at = ?::timestamptz where id = ?", utc(now), account);
    }

    // ------------------------------------------------------------------ passkeys

    @SuppressWarnings("ArrayRecordComponent") // never compared
    record StoredPasskey(String id, String account, String rpId, byte[] credential, long counter) {}

    static boolean insertPasskey(
            DSLContext sql,
            String id,
            String account,
            String rpId,
            String name,
            byte[] credential,
            long counter,
            Instant now) {
        return sql.execute(
                        "insert into passkey(id, account, rp_id, name, credential, counter, created_at)"
                                + " values (?, ?, ?, ?, ?, ?, ?::timestamptz) on conflict do nothing",
                        id,
                        account,
                        rpId,
                        name,
                        credential,
                        counter,
                        utc(now))
                == 1;
    }

    static Optional<StoredPasskey> passkey(DSLContext sql, String id) {
        return sql.fetchOptional("select id, account, rp_id, credential, counter from passkey where id = ?", id)
                .map(row -> new StoredPasskey(
                        row.get(0, String.class),
                        row.get(1, String.class),
                        row.get(2, String.class),
                        row.get(3, byte[].class),
                        row.get(4, Long.class)));
    }

    static List<Passkey> passkeys(DSLContext sql, String account) {
        return sql.fetch(
                        "select id, name, created_at, last_used_at from passkey where account = ?"
                                + " order by created_at, id",
                        account)
                .map(row -> new Passkey(
                        row.get(0, String.class), row.get(1, String.class), at(row, 2), optionalAt(row, 3)));
    }

    static List<String> accountsWithoutPasskeyAt(DSLContext sql, String rpId) {
        return sql.fetch(
                        "select id from account a where not locked and not exists"
                                + " (select 1 from passkey p where p.account = a.id and p.rp_id = ?)"
                                + " order by (role = 'admin') desc, created_at, id limit 20",
                        rpId)
                .map(row -> row.get(0, String.class));
    }

    static boolean deletePasskey(DSLContext sql, String account, String id) {
        return sql.execute("delete from passkey where account = ? and id = ?", account, id) == 1;
    }

    static void usedPasskey(DSLContext sql, String id, long counter, Instant now) {
        sql.execute(
                "update passkey set counter = greatest(counter, ?), last_used_at = ?::timestamptz where id = ?",
                counter,
                utc(now),
                id);
    }

    /// @return false when the challenge was answered before
    static boolean useChallenge(DSLContext sql, Digest challenge, Instant expiresAt, Instant now) {
        sql.execute("delete from used_challenge where expires_at < ?::timestamptz", utc(now));
        return sql.execute(
                        "insert into used_challenge(hash, expires_at) values (?, ?::timestamptz) on conflict do nothing",
                        challenge.hex(),
                        utc(expiresAt))
                == 1;
    }

    // ------------------------------------------------------------------ links

    static void insertLink(DSLContext sql, OneTimeLink link, Digest hash, Instant now) {
        sql.execute(
                "insert into access_link(id, hash, purpose, name, role, account, created_by, created_at, expires_at)"
                        + " values (?, ?, ?, ?, ?, ?, ?, ?::timestamptz, ?::timestamptz)",
                link.id(),
                hash.hex(),
                link.purpose().text(),
                link.name().orElse(null),
                link.role().text(),
                link.account().orElse(null),
                link.createdBy(),
                utc(now),
                utc(link.expiresAt()));
    }

    static Optional<OneTimeLink> link(DSLContext sql, Digest hash, Instant now, boolean lock) {
        return sql.fetchOptional(
                        LINK + " where hash = ? and used_at is null and expires_at > ?::timestamptz"
                                + (lock ? " for update" : ""),
                        hash.hex(),
                        utc(now))
                .map(AccessStore::link);
    }

    static List<OneTimeLink> invitations(DSLContext sql, Instant now) {
        return sql.fetch(
                        LINK + " where purpose = 'invitation' and used_at is null and expires_at > ?::timestamptz"
                                + " order by expires_at, id",
                        utc(now))
                .map(AccessStore::link);
    }

    static void useLink(DSLContext sql, String id, Instant now) {
        sql.execute("update access_link set used_at = ?::timestamptz where id = ?", utc(now), id);
    }

    static boolean withdrawInvitation(DSLContext sql, String id, Instant now) {
        return sql.execute(
                        "update access_link set expires_at = ?::timestamptz where id = ? and purpose = 'invitation'"
                                + " and used_at is null and expires_at > ?::timestamptz",
                        utc(now),
                        id,
                        utc(now))
                == 1;
    }

    /// Links of this purpose (for this account, where given) that were not used are no good any more.
    static void withdrawLinks(DSLContext sql, OneTimeLink.Purpose purpose, @Nullable String account, Instant now) {
        sql.execute(
                "update access_link set expires_at = ?::timestamptz where purpose = ? and used_at is null and expires_at > ?::timestamptz"
                        + " and (?::text is null or account = ?)",
                utc(now),
                purpose.text(),
                utc(now),
                account,
                account);
    }

    // ------------------------------------------------------------------ tokens

    static void insertToken(DSLContext sql, ApiToken token, Digest hash) {
        sql.execute(
                "insert into api_token(id, hash, name, scopes, account, created_at, expires_at)"
                        + " values (?, ?, ?, ?, ?, ?::timestamptz, ?::timestamptz)",
                token.id(),
                hash.hex(),
                token.name(),
                token.scopes().stream().map(Scope::text).sorted().collect(Collectors.joining(" ")),
                token.account().orElse(null),
                utc(token.createdAt()),
                utc(token.expiresAt()));
    }

    static Optional<ApiToken> token(DSLContext sql, Digest hash, Instant now) {
        return sql.fetchOptional(
                        TOKEN + " where hash = ? and revoked_at is null and expires_at > ?::timestamptz",
                        hash.hex(),
                        utc(now))
                .map(AccessStore::token);
    }

    static List<ApiToken> tokens(DSLContext sql, Instant now) {
        return sql.fetch(
                        TOKEN + " where revoked_at is null and expires_at > ?::timestamptz order by created_at, id",
                        utc(now))
                .map(AccessStore::token);
    }

    static boolean revokeToken(DSLContext sql, String id, Instant now) {
        return sql.execute(
                        "update api_token set revoked_at = ?::timestamptz where id = ? and revoked_at is null",
                        utc(now),
                        id)
                == 1;
    }

    static void usedToken(DSLContext sql, String id, Instant now) {
        sql.execute(
                "update api_token set last_used_at = ?::timestamptz where id = ?"
                        + " and (last_used_at is null or last_used_at < ?::timestamptz)",
                utc(now),
                id,
                utc(now.minusSeconds(60)));
    }

    // ------------------------------------------------------------------ sessions

    record StoredSession(String account, Instant expiresAt, Instant lastSeenAt) {}

    static void insertSession(DSLContext sql, Digest hash, String account, Instant now, Instant expiresAt) {
        sql.execute("delete from operator_session where expires_at < ?::timestamptz", utc(now));
        sql.execute(
                "insert into operator_session(hash, account, created_at, expires_at, last_seen_at)"
                        + " values (?, ?, ?::timestamptz, ?::timestamptz, ?::timestamptz)",
                hash.hex(),
                account,
                utc(now),
                utc(expiresAt),
                utc(now));
    }

    static Optional<StoredSession> session(DSLContext sql, Digest hash, Instant now, Instant idleSince) {
        return sql.fetchOptional(
                        "select account, expires_at, last_seen_at from operator_session"
                                + " where hash = ? and expires_at > ?::timestamptz and last_seen_at > ?::timestamptz",
                        hash.hex(),
                        utc(now),
                        utc(idleSince))
                .map(row -> new StoredSession(row.get(0, String.class), at(row, 1), at(row, 2)));
    }

    static void seenSession(DSLContext sql, Digest hash, Instant now) {
        sql.execute("update operator_session set last_seen_at = ?::timestamptz where hash = ?", utc(now), hash.hex());
    }

    static void deleteSession(DSLContext sql, Digest hash) {
        sql.execute("delete from operator_session where hash = ?", hash.hex());
    }

    static void deleteSessions(DSLContext sql, String account) {
        sql.execute("delete from operator_session where account = ?", account);
    }

    // ------------------------------------------------------------------ the installation's own secret

    /// Stores the value unless there is one; the one that stands is returned, so that all nodes have the same.
    static byte[] secret(DSLContext sql, byte[] fresh) {
        sql.execute("insert into access_secret(value) values (?) on conflict do nothing", (Object) fresh);
        return sql.fetchSingle("select value from access_secret").get(0, byte[].class);
    }

    private static Account account(Record row) {
        return new Account(
                row.get(0, String.class),
                row.get(1, String.class),
                Role.of(row.get(2, String.class)),
                row.get(3, Boolean.class),
                at(row, 4),
                optionalAt(row, 5),
                row.get(6, Integer.class));
    }

    private static OneTimeLink link(Record row) {
        return new OneTimeLink(
                row.get(0, String.class),
                OneTimeLink.Purpose.of(row.get(1, String.class)),
                Optional.ofNullable(row.get(2, String.class)),
                Role.of(row.get(3, String.class)),
                Optional.ofNullable(row.get(4, String.class)),
                row.get(5, String.class),
                at(row, 6));
    }

    private static ApiToken token(Record row) {
        return new ApiToken(
                row.get(0, String.class),
                row.get(1, String.class),
                scopes(row.get(2, String.class)),
                Optional.ofNullable(row.get(3, String.class)),
                at(row, 4),
                at(row, 5),
                optionalAt(row, 6));
    }

    private static Set<Scope> scopes(String text) {
        return Arrays.stream(text.split(" ", -1))
                .flatMap(s -> Scope.parse(s).stream())
                .collect(Collectors.toSet());
    }

    private static Instant at(Record row, int column) {
        return row.get(column, OffsetDateTime.class).toInstant();
    }

    private static Optional<Instant> optionalAt(Record row, int column) {
        return Optional.ofNullable(row.get(column, OffsetDateTime.class)).map(OffsetDateTime::toInstant);
    }

    private static OffsetDateTime utc(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }
}
