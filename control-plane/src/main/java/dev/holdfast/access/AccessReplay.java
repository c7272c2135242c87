package dev.holdfast.access;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Replayer;
import dev.holdfast.journal.Transaction;
import java.util.Map;
import java.util.Optional;

/// After a restore: tokens that were revoked after the backup, links that were used or withdrawn, accounts that were
/// locked or lost rights, and passkeys that were removed are so again.
///
/// That may leave nobody who can sign in; the first token (`access.firstToken`), made on the server's own machine, is
/// the way back in.
public final class AccessReplay implements Replayer {
    private static final Actor JOURNAL = new Actor.Holdfast("journal");
    private static final String BY_LINK = "came in by one-time link ";

    @Override
    public boolean replay(Transaction tx, Recorded entry) {
        JsonNode json = entry.json();
        return switch (json.path("kind").asText()) {
            case "access.token-revoked" ->
                AccessStore.revokeToken(tx.sql(), id(json), tx.now()) && record(tx, json, Map.of());
            case "access.invitation-withdrawn" ->
                AccessStore.withdrawInvitation(tx.sql(), id(json), tx.now()) && record(tx, json, Map.of());
            case "access.account-changed" -> change(tx, json);
            case "access.passkey-removed" -> removePasskey(tx, json);
            case "access.operator-registered", "access.passkey-added" -> useLink(tx, json);
            default -> false;
        };
    }

    private static boolean change(Transaction tx, JsonNode json) {
        Optional<Account> found = AccessStore.lockAccounts(tx.sql()).stream()
                .filter(a -> a.id().equals(id(json)))
                .findFirst();
        if (found.isEmpty()) {
            return false;
        }
        Account account = found.get();
        Role then = Role.of(json.path("body").path("role").asText());
        Role role = then.compareTo(account.role()) < 0 ? then : account.role();
        boolean locked = account.locked() || json.path("body").path("locked").asBoolean();
        if (role == account.role() && locked == account.locked()) {
            return false;
        }
        AccessStore.updateAccount(tx.sql(), account.id(), role, locked);
        return record(tx, json, Map.of("role", role.text(), "locked", locked));
    }

    private static boolean removePasskey(Transaction tx, JsonNode json) {
        String passkey = json.path("body").path("passkey").asText();
        return AccessStore.deletePasskey(tx.sql(), id(json), passkey) && record(tx, json, Map.of("passkey", passkey));
    }

    /// A one-time link that let somebody in after the backup must not let anybody in again.
    private static boolean useLink(Transaction tx, JsonNode json) {
        String reason = json.path("reason").asText();
        if (reason.startsWith(BY_LINK)) {
            AccessStore.useLink(tx.sql(), reason.substring(BY_LINK.length()), tx.now());
        }
        return false;
    }

    /// The part of `account:...`, `token:...` or `invitation:...` after the colon.
    private static String id(JsonNode json) {
        String subject = json.path("subject").asText();
        return subject.substring(subject.indexOf(':') + 1);
    }

    private static boolean record(Transaction tx, JsonNode json, Map<String, ?> body) {
        tx.record(new Entry(
                json.path("kind").asText(),
                new Environment(json.path("environment").asText()),
                json.path("subject").asText(),
                JOURNAL,
                "again after a restore: " + json.path("reason").asText(),
                body));
        return true;
    }
}
