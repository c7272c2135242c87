package dev.holdfast.access;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Who may operate this installation: accounts, invitations, tokens, and who is asking.
///
/// There is no password anywhere. The first operator comes in by a one-time link that the server prints; others are
/// invited; scripts have tokens. Every secret is kept as a hash.
public final class Access {
    private static final Duration LINK_LIFETIME = Duration.ofDays(3);
    private static final Duration SESSION_LIFETIME = Duration.ofHours(12);
    private static final Duration SESSION_IDLE = Duration.ofHours(4);
    private static final Duration SEEN_EVERY = Duration.ofMinutes(1);

    private final Database database;
    private final Journal journal;
    private final InstantSource clock;
    private final SecureRandom random;
    private final Environment environment;
    private final Challenges challenges;
    private final Tokens tokens;

    /// @param environment the default one, under which changes of access are journalled
    public Access(
            Database database, Journal journal, InstantSource clock, SecureRandom random, Environment environment) {
        this.database = database;
        this.journal = journal;
        this.clock = clock;
        this.random = random;
        this.environment = environment;
        byte[] fresh = new byte[32];
        random.nextBytes(fresh);
        this.challenges = new Challenges(database.transact(sql -> AccessStore.secret(sql, fresh)), random);
        this.tokens = new Tokens(this, random);
    }

    public Tokens tokens() {
        return tokens;
    }

    /// The passkey ceremonies for a console at this address.
    public Passkeys passkeys(RelyingParty party) {
        return new Passkeys(this, party);
    }

    // ------------------------------------------------------------------ who is asking

    /// Whom a session cookie proves.
    public Optional<Principal> bySession(String cookie) {
        Secret secret = Secret.of(cookie);
        Instant now = clock.instant();
        return database.read(sql -> {
            Optional<AccessStore.StoredSession> session =
                    AccessStore.session(sql, secret.hash(), now, now.minus(SESSION_IDLE));
            if (session.isEmpty()) {
                return Optional.empty();
            }
            if (session.get().lastSeenAt().isBefore(now.minus(SEEN_EVERY))) {
                AccessStore.seenSession(sql, secret.hash(), now);
            }
            return AccessStore.account(sql, session.get().account())
                    .filter(account -> !account.locked())
                    .map(account -> person(account, secret, session.get().expiresAt()));
        });
    }

    public void signOut(String cookie) {
        database.run(sql -> AccessStore.deleteSession(sql, Secret.of(cookie).hash()));
    }

    Principal person(Account account, Secret session, Instant expiresAt) {
        return new Principal(
                new Actor.Operator(account.id()),
                account.id(),
                account.name(),
                Optional.of(account.role()),
                account.role().scopes(),
                expiresAt,
                Optional.of(challenges.csrf(session.hash())));
    }

    SignedIn beginSession(Transaction tx, Account account) {
        Secret cookie = Secret.fresh(random, "");
        Instant expiresAt = tx.now().plus(SESSION_LIFETIME);
        AccessStore.insertSession(tx.sql(), cookie.hash(), account.id(), tx.now(), expiresAt);
        AccessStore.signedIn(tx.sql(), account.id(), tx.now());
        record(
                tx,
                "access.signed-in",
                "account:" + account.id(),
                new Actor.Operator(account.id()),
                "signed in with a passkey",
                Map.of());
        return new SignedIn(person(account, cookie, expiresAt), cookie.text());
    }

    // ------------------------------------------------------------------ accounts

    public boolean firstOperatorMissing() {
        return database.read(AccessStore::noAccounts);
    }

    public List<Account> accounts() {
        return database.read(AccessStore::accounts);
    }

    public Optional<Account> account(String id) {
        return database.read(sql -> AccessStore.account(sql, id));
    }

    /// Changes a role, or locks or unlocks an account; locking ends its sessions, and its tokens are no good while it
    /// is locked.
    ///
    /// @throws AccessRefused LAST_ADMIN, NOT_FOUND
    public Account change(String id, @Nullable Role role, @Nullable Boolean locked, String reason, Actor actor)
            throws AccessRefused {
        return refusing(() -> journal.commit(tx -> {
            List<Account> all = AccessStore.lockAccounts(tx.sql());
            Account before = all.stream()
                    .filter(a -> a.id().equals(id))
                    .findFirst()
                    .orElseThrow(() -> carrying(AccessRefused.Reason.NOT_FOUND, "no account " + id));
            Role newRole = role == null ? before.role() : role;
            boolean newLocked = locked == null ? before.locked() : locked;
            boolean adminRemains = all.stream()
                    .anyMatch(a -> a.id().equals(id)
                            ? newRole == Role.ADMIN && !newLocked
                            : a.role() == Role.ADMIN && !a.locked());
            if (!adminRemains) {
                throw carrying(AccessRefused.Reason.LAST_ADMIN, "no admin would remain who can sign in");
            }
            AccessStore.updateAccount(tx.sql(), id, newRole, newLocked);
            if (newLocked) {
                AccessStore.deleteSessions(tx.sql(), id);
            }
            record(
                    tx,
                    "access.account-changed",
                    "account:" + id,
                    actor,
                    reason,
                    Map.of("role", newRole.text(), "locked", newLocked));
            return AccessStore.account(tx.sql(), id).orElseThrow();
        }));
    }

    // ------------------------------------------------------------------ links

    /// The links to print when the server starts: for the first operator while there is none, and, when the host
    /// name to which passkeys are bound has changed, for each account that can't sign in under the new one.
    public List<OneTimeLink.Fresh> linksForStart(RelyingParty party) {
        return journal.commit(tx -> {
            if (AccessStore.noAccounts(tx.sql())) {
                AccessStore.withdrawLinks(tx.sql(), OneTimeLink.Purpose.FIRST_OPERATOR, null, tx.now());
                return List.of(freshLink(
                        tx,
                        OneTimeLink.Purpose.FIRST_OPERATOR,
                        null,
                        Role.ADMIN,
                        null,
                        new Actor.Holdfast("access"),
                        "no operator yet"));
            }
            return AccessStore.accountsWithoutPasskeyAt(tx.sql(), party.id()).stream()
                    .flatMap(id -> AccessStore.account(tx.sql(), id).stream())
                    .map(account -> {
                        AccessStore.withdrawLinks(tx.sql(), OneTimeLink.Purpose.NEW_HOST_NAME, account.id(), tx.now());
                        return freshLink(
                                tx,
                                OneTimeLink.Purpose.NEW_HOST_NAME,
                                account.name(),
                                account.role(),
                                account.id(),
                                new Actor.Holdfast("access"),
                                "no passkey for host name " + party.id());
                    })
                    .toList();
        });
    }

    public OneTimeLink.Fresh invite(String name, Role role, Actor actor) {
        return journal.commit(tx -> freshLink(tx, OneTimeLink.Purpose.INVITATION, name, role, null, actor, "invited"));
    }

    public List<OneTimeLink> invitations() {
        return database.read(sql -> AccessStore.invitations(sql, clock.instant()));
    }

    /// @throws AccessRefused NOT_FOUND
    public void withdrawInvitation(String id, Actor actor) throws AccessRefused {
        refusing(() -> journal.commit(tx -> {
            if (!AccessStore.withdrawInvitation(tx.sql(), id, tx.now())) {
                throw carrying(AccessRefused.Reason.NOT_FOUND, "no open invitation " + id);
            }
            record(tx, "access.invitation-withdrawn", "invitation:" + id, actor, "withdrawn", Map.of());
            return true;
        }));
    }

    private OneTimeLink.Fresh freshLink(
            Transaction tx,
            OneTimeLink.Purpose purpose,
            @Nullable String name,
            Role role,
            @Nullable String account,
            Actor actor,
            String reason) {
        Secret secret = Secret.fresh(random, "");
        OneTimeLink link = new OneTimeLink(
                Secret.id(random),
                purpose,
                Optional.ofNullable(name),
                role,
                Optional.ofNullable(account),
                actor.text(),
                tx.now().plus(LINK_LIFETIME));
        AccessStore.insertLink(tx.sql(), link, secret.hash(), tx.now());
        record(
                tx,
                "access.link-made",
                "invitation:" + link.id(),
                actor,
                reason,
                Map.of(
                        "purpose",
                        purpose.text(),
                        "role",
                        role.text(),
                        "expiresAt",
                        link.expiresAt().toString()));
        return new OneTimeLink.Fresh(link, secret.text());
    }

    // ------------------------------------------------------------------ names

    /// What an actor of the journal is called now.
    public Optional<String> nameOf(String actor) {
        if (actor.startsWith("operator:")) {
            return account(actor.substring("operator:".length())).map(Account::name);
        }
        if (actor.startsWith("token:")) {
            String id = actor.substring("token:".length());
            return tokens.find(id).map(ApiToken::name);
        }
        return Optional.empty();
    }

    /// Who answers for what the caller does: an operator, through whichever of their tokens. Tokens that no operator
    /// made (the first, and those made with it) all speak for the installation itself: together they are one.
    public String personBehind(Principal caller) {
        Optional<String> account = caller.isPerson() ? Optional.of(caller.id()) : tokens.accountOf(caller.id());
        return account.<Actor>map(Actor.Operator::new)
                .orElseGet(() -> new Actor.Holdfast("first-token"))
                .text();
    }

    // ------------------------------------------------------------------ shared with Passkeys and Tokens

    Database database() {
        return database;
    }

    Journal journal() {
        return journal;
    }

    Challenges challenges() {
        return challenges;
    }

    Instant now() {
        return clock.instant();
    }

    void record(Transaction tx, String kind, String subject, Actor actor, String reason, Map<String, ?> body) {
        tx.record(new Entry(kind, environment, subject, actor, reason, body));
    }

    /// Carries a refusal out of a change, so that nothing of the change remains.
    static final class Carried extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final AccessRefused refused;

        Carried(AccessRefused refused) {
            super(refused);
            this.refused = refused;
        }
    }

    static Carried carrying(AccessRefused.Reason reason, String detail) {
        return new Carried(new AccessRefused(reason, detail));
    }

    /// A change that may be refused.
    interface Refusable<T> {
        T run();
    }

    static <T> T refusing(Refusable<T> change) throws AccessRefused {
        try {
            return change.run();
        } catch (Carried carried) {
            throw carried.refused;
        }
    }
}
