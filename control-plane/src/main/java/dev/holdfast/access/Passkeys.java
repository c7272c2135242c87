package dev.holdfast.access;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Digest;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Signing in, and coming in for the first time, with a passkey. Each challenge is answered at most once.
public final class Passkeys {
    private static final String SIGN_IN = "sign-in";

    private final Access access;
    private final RelyingParty party;
    private final PasskeyVerifier verifier = new PasskeyVerifier();

    Passkeys(Access access, RelyingParty party) {
        this.access = access;
        this.party = party;
    }

    public RelyingParty party() {
        return party;
    }

    // ------------------------------------------------------------------ signing in

    public Ceremony beginSignIn() {
        byte[] challenge = access.challenges().begin(SIGN_IN, access.now());
        return new Ceremony(name(challenge), PasskeyVerifier.requestOptions(party, challenge));
    }

    /// @param credential `PublicKeyCredential.toJSON()` of the assertion
    public SignedIn finishSignIn(String ceremony, String credential) throws AccessRefused {
        Challenges.Valid challenge = challenge(ceremony, SIGN_IN);
        String id = verifier.credentialId(credential);
        AccessStore.StoredPasskey stored = access.database()
                .read(sql -> AccessStore.passkey(sql, id))
                .filter(p -> p.rpId().equals(party.id()))
                .orElseThrow(() -> new AccessRefused(
                        AccessRefused.Reason.PASSKEY_UNKNOWN, "this passkey belongs to no operator here"));
        long counter = verifier.authenticate(party, challenge.bytes(), credential, stored);
        return Access.refusing(() -> access.journal().commit(tx -> {
            use(tx.sql(), challenge, tx.now());
            Account account = AccessStore.account(tx.sql(), stored.account()).orElseThrow();
            if (account.locked()) {
                throw Access.carrying(AccessRefused.Reason.ACCOUNT_LOCKED, "an admin has locked this account");
            }
            AccessStore.usedPasskey(tx.sql(), stored.id(), counter, tx.now());
            return access.beginSession(tx, account);
        }));
    }

    // ------------------------------------------------------------------ coming in by a link

    /// What the link is for, while it can still be used.
    public Optional<OneTimeLink> describe(String link) {
        return access.database()
                .read(sql -> AccessStore.link(sql, Secret.of(link).hash(), access.now(), false));
    }

    public Ceremony beginRegistration(String link, String name) throws AccessRefused {
        OneTimeLink found = describe(link).orElseThrow(Passkeys::noSuchLink);
        byte[] challenge = access.challenges().begin(purpose(found), access.now());
        return new Ceremony(
                name(challenge),
                PasskeyVerifier.creationOptions(party, challenge, found.accountId(), name, existing(found)));
    }

    /// Makes the account with its passkey (or adds the passkey, after the host name changed), uses the link up and
    /// begins a session: all or nothing.
    public SignedIn finishRegistration(String link, String name, String ceremony, String credential)
            throws AccessRefused {
        Digest hash = Secret.of(link).hash();
        OneTimeLink found = describe(link).orElseThrow(Passkeys::noSuchLink);
        Challenges.Valid challenge = challenge(ceremony, purpose(found));
        PasskeyVerifier.Registered registered = verifier.register(party, challenge.bytes(), credential);
        return Access.refusing(() -> access.journal().commit(tx -> {
            OneTimeLink again = AccessStore.link(tx.sql(), hash, tx.now(), true)
                    .orElseThrow(() -> new Access.Carried(noSuchLink()));
            use(tx.sql(), challenge, tx.now());
            AccessStore.useLink(tx.sql(), again.id(), tx.now());
            String id = again.accountId();
            if (again.account().isEmpty()) {
                AccessStore.insertAccount(tx.sql(), id, name, again.role(), tx.now());
            }
            store(tx.sql(), registered, id, "first passkey", tx.now());
            access.record(
                    tx,
                    again.account().isEmpty() ? "access.operator-registered" : "access.passkey-added",
                    "account:" + id,
                    new Actor.Operator(id),
                    "came in by one-time link " + again.id(),
                    Map.of("role", again.role().text(), "passkey", registered.id()));
            return access.beginSession(tx, AccessStore.account(tx.sql(), id).orElseThrow());
        }));
    }

    // ------------------------------------------------------------------ one's own passkeys

    public List<Passkey> list(String account) {
        return access.database().read(sql -> AccessStore.passkeys(sql, account));
    }

    public Ceremony beginAdding(Principal person) {
        byte[] challenge = access.challenges().begin("add:" + person.id(), access.now());
        List<String> existing = list(person.id()).stream().map(Passkey::id).toList();
        return new Ceremony(
                name(challenge),
                PasskeyVerifier.creationOptions(party, challenge, person.id(), person.name(), existing));
    }

    public Passkey finishAdding(Principal person, String name, String ceremony, String credential)
            throws AccessRefused {
        Challenges.Valid challenge = challenge(ceremony, "add:" + person.id());
        PasskeyVerifier.Registered registered = verifier.register(party, challenge.bytes(), credential);
        return Access.refusing(() -> access.journal().commit(tx -> {
            use(tx.sql(), challenge, tx.now());
            store(tx.sql(), registered, person.id(), name, tx.now());
            access.record(
                    tx,
                    "access.passkey-added",
                    "account:" + person.id(),
                    person.actor(),
                    "added another passkey",
                    Map.of("passkey", registered.id()));
            return new Passkey(registered.id(), name, tx.now(), Optional.empty());
        }));
    }

    public void remove(Principal person, String id) throws AccessRefused {
        Access.refusing(() -> access.journal().commit(tx -> {
            AccessStore.lockAccounts(tx.sql());
            List<Passkey> mine = AccessStore.passkeys(tx.sql(), person.id());
            if (mine.stream().noneMatch(p -> p.id().equals(id))) {
                throw Access.carrying(AccessRefused.Reason.NOT_FOUND, "you have no such passkey");
            }
            if (mine.size() == 1) {
                throw Access.carrying(
                        AccessRefused.Reason.LAST_PASSKEY, "it is your last one: you could not sign in any more");
            }
            AccessStore.deletePasskey(tx.sql(), person.id(), id);
            access.record(
                    tx,
                    "access.passkey-removed",
                    "account:" + person.id(),
                    person.actor(),
                    "removed a passkey",
                    Map.of("passkey", id));
            return true;
        }));
    }

    private void store(
            org.jooq.DSLContext sql,
            PasskeyVerifier.Registered registered,
            String account,
            String name,
            java.time.Instant now) {
        if (!AccessStore.insertPasskey(
                sql, registered.id(), account, party.id(), name, registered.credential(), registered.counter(), now)) {
            throw Access.carrying(
                    AccessRefused.Reason.PASSKEY_ALREADY_REGISTERED, "this passkey is registered already");
        }
    }

    private static void use(org.jooq.DSLContext sql, Challenges.Valid challenge, java.time.Instant now) {
        if (!AccessStore.useChallenge(sql, challenge.hash(), challenge.expiresAt(), now)) {
            throw Access.carrying(
                    AccessRefused.Reason.CEREMONY_ALREADY_USED, "this answer was given before; begin again");
        }
    }

    private Challenges.Valid challenge(String ceremony, String purpose) throws AccessRefused {
        return access.challenges()
                .check(ceremony, purpose, access.now())
                .orElseThrow(() -> new AccessRefused(
                        AccessRefused.Reason.CEREMONY_UNKNOWN_OR_EXPIRED, "too late, or not begun here; begin again"));
    }

    private List<String> existing(OneTimeLink link) {
        return link.account()
                .map(id -> list(id).stream().map(Passkey::id).toList())
                .orElse(List.of());
    }

    private static String purpose(OneTimeLink link) {
        return "link:" + link.id();
    }

    private static String name(byte[] challenge) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(challenge);
    }

    private static AccessRefused noSuchLink() {
        return new AccessRefused(
                AccessRefused.Reason.LINK_UNKNOWN_USED_OR_EXPIRED, "the link was used, has expired, or never was");
    }
}
