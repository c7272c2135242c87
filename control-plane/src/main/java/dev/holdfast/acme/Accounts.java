package dev.holdfast.acme;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.identity.Identity;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Standing;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Transaction;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.acme.AccountBinding;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeKey;
import dev.holdfast.protocol.acme.AcmePayload;
import dev.holdfast.protocol.acme.AcmeProblem;
import dev.holdfast.protocol.acme.SignedMessage;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Accounts: made by who can bind a key to a device with a secret of that device's, used for as long as the
/// device is one of ours.
public final class Accounts {
    private static final String DEACTIVATED = "acme.account-deactivated";
    private final Database database;
    private final Journal journal;
    private final Identity identity;
    private final Inventory inventory;
    private final Environment environment;
    private final Ids ids;

    Accounts(
            Database database,
            Journal journal,
            Identity identity,
            Inventory inventory,
            Environment environment,
            Ids ids) {
        this.database = database;
        this.journal = journal;
        this.identity = identity;
        this.inventory = inventory;
        this.environment = environment;
        this.ids = ids;
    }

    /// @param fresh whether it was made now
    record Found(Account account, boolean fresh) {}

    /// RFC 8555 sections 7.3, 7.3.1 and 7.3.4: 1. the account that the key has already; 2. else a new one, for
    /// which the binding must be made with a secret of ours.
    ///
    /// @param message verified with the key in it
    Found open(CertificateProfile profile, SignedMessage message, AcmeKey key) throws AcmeException {
        AcmePayload.NewAccount wish = AcmePayload.NewAccount.parse(message.payload());
        Optional<Account> known = ofKey(profile.name(), key);
        if (known.isPresent()) {
            return new Found(usable(known.get(), profile), false);
        }
        if (wish.onlyExisting()) {
            throw new AcmeException(AcmeProblem.ACCOUNT_DOES_NOT_EXIST, "this key has no account here");
        }
        if (wish.binding().isEmpty()) {
            throw new AcmeException(
                    AcmeProblem.EXTERNAL_ACCOUNT_REQUIRED,
                    "bind the account with a secret of the device's: holdfast device secret");
        }
        AccountBinding binding = AccountBinding.parse(wish.binding().get(), message);
        Optional<SharedSecrets.Known> secret = identity.secrets().find(binding.keyId());
        if (secret.isEmpty() || !binding.isMadeWith(secret.get().octets())) {
            throw new AcmeException(
                    AcmeProblem.UNAUTHORIZED, "the external account binding is not made with a secret of ours");
        }
        String id = ids.fresh();
        return journal.commit(tx -> create(tx, profile, key, secret.get().id(), id))
                .orElseThrow();
    }

    /// What a transaction came to; refusals can't be thrown through it.
    private record Outcome(Optional<Found> found, Optional<Fault> refusal) {
        static Outcome refused(String detail) {
            return new Outcome(Optional.empty(), Optional.of(new Fault(AcmeProblem.UNAUTHORIZED, detail)));
        }

        Found orElseThrow() throws AcmeException {
            if (refusal.isPresent()) {
                throw new AcmeException(refusal.get().problem(), refusal.get().detail());
            }
            return found.orElseThrow();
        }
    }

    private Outcome create(Transaction tx, CertificateProfile profile, AcmeKey key, String secretId, String id) {
        Optional<Account> raced = AcmeStore.accountOfKey(tx.sql(), environment, profile.name(), key.thumbprint());
        if (raced.isPresent()) {
            return new Outcome(Optional.of(new Found(raced.get(), false)), Optional.empty());
        }
        SharedSecrets.Known secret = identity.secrets().lock(tx, secretId).orElseThrow();
        if (secret.withdrawn() || secret.usedBy().isPresent()) {
            return Outcome.refused("the secret was used or withdrawn; ask for a new one");
        }
        if (tx.now().isAfter(secret.expiresAt())) {
            return Outcome.refused("the secret expired " + secret.expiresAt());
        }
        if (!secret.device().environment().equals(environment)
                || !profile.admittance().credentials().contains(CertificateProfile.CredentialKind.ACCOUNT)) {
            return Outcome.refused("accounts are not accepted for this profile");
        }
        Optional<Lifecycle> state = inventory.lock(tx, secret.device()).map(d -> d.state());
        if (state.isEmpty() || !isIn(state.get())) {
            return Outcome.refused("the device is not in service");
        }
        Account account = new Account(id, secret.device(), profile.name(), key, true);
        AcmeStore.insert(tx.sql(), account, secretId, tx.now());
        identity.secrets().use(tx, secretId, "account:" + id);
        record(
                tx,
                "acme.account-created",
                account,
                "bound to the device by a secret of its own",
                Map.of("account", id, "profile", profile.name(), "key", key.thumbprint(), "secret", secretId));
        return new Outcome(Optional.of(new Found(account, true)), Optional.empty());
    }

    Optional<Account> ofKey(String profile, AcmeKey key) {
        return database.read(sql -> AcmeStore.accountOfKey(sql, environment, profile, key.thumbprint()));
    }

    /// The account, when it may act under this profile now.
    ///
    /// @throws AcmeException `accountDoesNotExist`, or `unauthorized` for one that was deactivated, or
    ///     whose device is suspended, retired or gone
    Account find(String id, CertificateProfile profile) throws AcmeException {
        Optional<Account> found =
                id.length() > 64 ? Optional.empty() : database.read(sql -> AcmeStore.account(sql, id, false));
        if (found.isEmpty()) {
            throw new AcmeException(AcmeProblem.ACCOUNT_DOES_NOT_EXIST, "no such account");
        }
        return usable(found.get(), profile);
    }

    private Account usable(Account account, CertificateProfile profile) throws AcmeException {
        if (!account.profile().equals(profile.name())
                || !account.device().environment().equals(environment)) {
            throw new AcmeException(AcmeProblem.UNAUTHORIZED, "the account belongs to another directory");
        }
        if (!account.active()) {
            throw new AcmeException(AcmeProblem.UNAUTHORIZED, "the account was deactivated");
        }
        // Memory may not have heard yet of a device that was registered a moment ago.
        Optional<Lifecycle> state = inventory
                .directory()
                .find(account.device())
                .map(Standing::state)
                .or(() -> inventory.find(account.device()).map(Device::state));
        if (state.filter(Accounts::isIn).isEmpty()) {
            throw new AcmeException(AcmeProblem.UNAUTHORIZED, "the account's device is not in service");
        }
        return account;
    }

    private static boolean isIn(Lifecycle state) {
        return switch (state) {
            case REGISTERED, ENROLLED, ACTIVE, QUARANTINED -> true;
            case SUSPENDED, RETIRED -> false;
        };
    }

    /// Section 7.3.6: for ever; what it has not finished is invalid.
    void deactivate(Account account) {
        journal.run(tx -> {
            if (AcmeStore.account(tx.sql(), account.id(), true)
                    .map(Account::active)
                    .orElse(false)) {
                AcmeStore.deactivate(tx.sql(), account.id(), tx.now());
                record(tx, DEACTIVATED, account, "its holder asked for it", Map.of("account", account.id()));
            }
        });
    }

    /// Section 7.3.5: 1. the inner message is signed by the new key, for the same URL; 2. it names this account
    /// and the key that signed the outer one; 3. the new key has no account here.
    ///
    /// @return the account that has the new key already, where there is one: nothing was changed then
    Optional<Account> changeKey(Account account, SignedMessage outer) throws AcmeException {
        SignedMessage inner = SignedMessage.parse(outer.payload(), SignedMessage.Place.KEY_CHANGE);
        AcmeKey fresh = switch (inner.sender()) {
            case SignedMessage.Sender.ByKey by -> by.key();
            case SignedMessage.Sender.ById _ ->
                throw new AcmeException(AcmeProblem.MALFORMED, "the inner message names no key");
        };
        inner.verify(fresh);
        AcmePayload.KeyChange change = AcmePayload.KeyChange.parse(inner.payload());
        String kid = outer.sender() instanceof SignedMessage.Sender.ById by ? by.id() : "";
        if (!inner.url().equals(outer.url())
                || !change.account().equals(kid)
                || !change.oldKey().equals(account.key())) {
            throw new AcmeException(
                    AcmeProblem.MALFORMED, "the inner message is for another URL, account or key than the outer one");
        }
        return journal.commit(tx -> {
            Optional<Account> taken =
                    AcmeStore.accountOfKey(tx.sql(), environment, account.profile(), fresh.thumbprint());
            Optional<Account> now = AcmeStore.account(tx.sql(), account.id(), true);
            if (taken.isPresent() || now.isEmpty() || !now.get().key().equals(account.key())) {
                return taken.or(() -> now);
            }
            AcmeStore.setKey(tx.sql(), account.id(), fresh);
            record(
                    tx,
                    "acme.account-key-changed",
                    account,
                    "its holder changed the key",
                    Map.of("account", account.id(), "key", fresh.thumbprint()));
            return Optional.<Account>empty();
        });
    }

    private static void record(Transaction tx, String kind, Account account, String why, Map<String, ?> body) {
        tx.record(new Entry(
                kind,
                account.device().environment(),
                Inventory.subject(account.device()),
                actor(account.device()),
                why,
                body));
    }

    // ------------------------------------------------------------------ for operators

    /// An account as the operators see it.
    ///
    /// @param thumbprint of its key (RFC 7638)
    /// @param secret id of the device's secret that bound it
    /// @param orders that are remembered, and how many of them led to a certificate
    public record Listed(
            String id,
            DeviceRef device,
            String profile,
            String thumbprint,
            String secret,
            boolean active,
            Instant createdAt,
            Optional<Instant> deactivatedAt,
            long orders,
            long issued,
            Optional<Instant> lastOrderAt) {}

    /// In the order of their ids.
    ///
    /// @param after the id after which to begin; empty for the first page
    public List<Listed> list(Environment of, Optional<DeviceRef> device, String after, int limit) {
        return database.read(sql -> AcmeStore.listed(sql, of, Optional.empty(), device, after, limit));
    }

    public Optional<Listed> find(Environment of, String id) {
        return database.read(sql -> AcmeStore.listed(sql, of, Optional.of(id), Optional.empty(), "", 1)).stream()
                .findFirst();
    }

    /// What became of a wish to deactivate.
    public enum Deactivation {
        DEACTIVATED,
        ALREADY,
        UNKNOWN
    }

    /// By an operator, for ever: its key is refused from now on, what it has not finished is invalid. What was
    /// issued stays as it is.
    public Deactivation deactivate(Environment of, String id, String reason, Actor actor) {
        return journal.commit(tx -> deactivate(tx, of, id, reason, actor));
    }

    private static Deactivation deactivate(Transaction tx, Environment of, String id, String reason, Actor actor) {
        Optional<Account> account = AcmeStore.account(tx.sql(), id, true)
                .filter(found -> found.device().environment().equals(of));
        if (account.isEmpty()) {
            return Deactivation.UNKNOWN;
        }
        if (!account.get().active()) {
            return Deactivation.ALREADY;
        }
        AcmeStore.deactivate(tx.sql(), id, tx.now());
        tx.record(new Entry(
                DEACTIVATED, of, Inventory.subject(account.get().device()), actor, reason, Map.of("account", id)));
        return Deactivation.DEACTIVATED;
    }

    /// After a restore: what was deactivated after the backup is not active again.
    public static boolean replay(Transaction tx, Recorded entry) {
        return entry.json().path("kind").asText().equals(DEACTIVATED)
                && deactivate(
                                tx,
                                new Environment(entry.json().path("environment").asText()),
                                entry.json().path("body").path("account").asText(),
                                "again after a restore: "
                                        + entry.json().path("reason").asText(),
                                new Actor.Holdfast("journal"))
                        == Deactivation.DEACTIVATED;
    }

    static Actor actor(DeviceRef device) {
        return new Actor.Device(device);
    }
}
