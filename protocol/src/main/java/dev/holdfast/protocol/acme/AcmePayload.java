package dev.holdfast.protocol.acme;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// What the payloads of verified messages say. Members that are not known are ignored, as RFC 8555 section 7.1
/// has it.
public sealed interface AcmePayload {
    int MOST_IDENTIFIERS = 16;
    int MOST_CONTACTS = 10;
    Pattern MAIL = Pattern.compile("mailto:[^\\s,?@]{1,64}@[A-Za-z0-9.-]{1,190}");

    /// Section 7.3. Contacts are held to their form and then not kept.
    ///
    /// @param binding external account binding, unread
    record NewAccount(boolean onlyExisting, Optional<JsonNode> binding) implements AcmePayload {
        public static NewAccount parse(byte[] payload) throws AcmeException {
            JsonNode json = AcmeText.object(payload, "the account");
            checkContacts(json);
            JsonNode binding = json.get("externalAccountBinding");
            if (binding != null && !binding.isNull() && !binding.isObject()) {
                throw AcmeText.malformed("'externalAccountBinding' is not an object");
            }
            return new NewAccount(
                    AcmeText.flag(json, "onlyReturnExisting", "the account"),
                    binding == null || binding.isNull() ? Optional.empty() : Optional.of(binding));
        }
    }

    /// Sections 7.3.2 and 7.3.6, and 7.5.2 for authorizations.
    ///
    /// @param deactivate whether it asks for the one change of state there is
    record Update(boolean deactivate) implements AcmePayload {
        public static Update parse(byte[] payload) throws AcmeException {
            JsonNode json = AcmeText.object(payload, "the change");
            checkContacts(json);
            Optional<String> status = AcmeText.optionalText(json, "status", "the change");
            if (status.isPresent() && !status.get().equals("deactivated")) {
                throw AcmeText.malformed("the one status to ask for is 'deactivated'");
            }
            return new Update(status.isPresent());
        }
    }

    /// Section 7.4, with `replaces` of RFC 9773 section 5.
    ///
    /// @param identifiers 1 to 16, each once
    record NewOrder(
            Set<AcmeIdentifier> identifiers,
            Optional<Instant> notBefore,
            Optional<Instant> notAfter,
            Optional<CertificateId> replaces)
            implements AcmePayload {
        public static NewOrder parse(byte[] payload) throws AcmeException {
            JsonNode json = AcmeText.object(payload, "the order");
            JsonNode identifiers = json.path("identifiers");
            if (!identifiers.isArray() || identifiers.isEmpty() || identifiers.size() > MOST_IDENTIFIERS) {
                throw AcmeText.malformed("an order has 1 to " + MOST_IDENTIFIERS + " identifiers");
            }
            Set<AcmeIdentifier> all = new LinkedHashSet<>();
            for (JsonNode one : identifiers) {
                if (!all.add(AcmeIdentifier.parse(one))) {
                    throw AcmeText.malformed("an identifier is there twice");
                }
            }
            Optional<String> replaces = AcmeText.optionalText(json, "replaces", "the order");
            return new NewOrder(
                    all,
                    AcmeText.time(json, "notBefore", "the order"),
                    AcmeText.time(json, "notAfter", "the order"),
                    replaces.isPresent() ? Optional.of(CertificateId.parse(replaces.get())) : Optional.empty());
        }
    }

    /// Section 7.4: the PKCS #10 request, unread.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Finalize(byte[] request) implements AcmePayload {
        public static Finalize parse(byte[] payload) throws AcmeException {
            JsonNode json = AcmeText.object(payload, "the finalization");
            return new Finalize(AcmeText.base64url(AcmeText.text(json, "csr", "the finalization"), "'csr'"));
        }
    }

    /// Section 7.6.
    ///
    /// @param certificate DER, unread
    /// @param reason of RFC 5280 section 5.3.1; 0 where not given
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Revocation(byte[] certificate, int reason) implements AcmePayload {
        public static Revocation parse(byte[] payload) throws AcmeException {
            JsonNode json = AcmeText.object(payload, "the revocation");
            JsonNode reason = json.get("reason");
            if (reason != null && !reason.canConvertToInt()) {
                throw new AcmeException(AcmeProblem.BAD_REVOCATION_REASON, "'reason' is not a number of RFC 5280");
            }
            return new Revocation(
                    AcmeText.base64url(AcmeText.text(json, "certificate", "the revocation"), "'certificate'"),
                    reason == null ? 0 : reason.intValue());
        }
    }

    /// Section 7.3.5: the inner message's payload.
    record KeyChange(String account, AcmeKey oldKey) implements AcmePayload {
        public static KeyChange parse(byte[] payload) throws AcmeException {
            JsonNode json = AcmeText.object(payload, "the key change");
            JsonNode old = json.get("oldKey");
            if (old == null || !old.isObject()) {
                throw AcmeText.malformed("the key change has no 'oldKey'");
            }
            return new KeyChange(AcmeText.text(json, "account", "the key change"), AcmeKey.parse(old.toString()));
        }
    }

    /// Section 7.5.1: `{}`, and for device-attest-01 the attestation object.
    ///
    /// @param attestation CBOR, unread
    record Answer(Optional<byte[]> attestation) implements AcmePayload {
        public static Answer parse(byte[] payload) throws AcmeException {
            JsonNode json = AcmeText.object(payload, "the answer to the challenge");
            Optional<String> object = AcmeText.optionalText(json, "attObj", "the answer to the challenge");
            return new Answer(
                    object.isPresent() ? Optional.of(AcmeText.base64url(object.get(), "'attObj'")) : Optional.empty());
        }
    }

    private static void checkContacts(JsonNode json) throws AcmeException {
        List<String> contacts = new ArrayList<>(AcmeText.texts(json, "contact", MOST_CONTACTS, "the account"));
        for (String contact : contacts) {
            if (!MAIL.matcher(contact).matches()) {
                throw new AcmeException(
                        AcmeProblem.INVALID_CONTACT, "contacts are mailto: URLs of one address without parameters");
            }
        }
    }
}
