package dev.holdfast.access;

import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/// A link by which a person makes a passkey, once.
///
/// @param id also the id of the account that it makes
/// @param account the account that gets another passkey, when the host name has changed
/// @param createdBy an actor, as in the journal
public record OneTimeLink(
        String id,
        Purpose purpose,
        Optional<String> name,
        Role role,
        Optional<String> account,
        String createdBy,
        Instant expiresAt) {
    public enum Purpose {
        FIRST_OPERATOR,
        INVITATION,
        NEW_HOST_NAME;

        public String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        static Purpose of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT).replace('-', '_'));
        }
    }

    /// A link together with the secret that is shown once.
    public record Fresh(OneTimeLink link, String secret) {}

    String accountId() {
        return account.orElse(id);
    }
}
