package dev.holdfast.acme;

import dev.holdfast.protocol.acme.AcmeIdentifier;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The objects of RFC 8555 section 7.1 as their JSON.
final class Shapes {
    private Shapes() {}

    /// Section 7.1.1, with RFC 9773 section 4.
    static Map<String, Object> directory(Urls urls) {
        return Map.of(
                "newNonce", urls.at("new-nonce"),
                "newAccount", urls.at("new-account"),
                "newOrder", urls.at("new-order"),
                "revokeCert", urls.at("revoke-cert"),
                "keyChange", urls.at("key-change"),
                "renewalInfo", urls.at("renewal-info"),
                "meta", Map.of("externalAccountRequired", true));
    }

    /// Section 7.1.2. Contacts are not kept: they are personal data that we have no use for.
    static Map<String, Object> account(Account account, Urls urls) {
        return Map.of("status", account.active() ? "valid" : "deactivated", "orders", urls.orders(account.id()));
    }

    /// Section 7.1.3.
    static Map<String, Object> order(Order order, List<Authorization> authorizations, Urls urls, Instant now) {
        Map<String, Object> json = new TreeMap<>();
        json.put("status", order.stateAt(now).text());
        json.put("expires", order.expiresAt().toString());
        json.put(
                "identifiers",
                order.identifiers().stream().map(AcmeIdentifier::json).toList());
        json.put(
                "authorizations",
                authorizations.stream().map(a -> urls.authorization(a.id())).toList());
        json.put("finalize", urls.finalization(order.id()));
        order.replaces().ifPresent(id -> json.put("replaces", id));
        order.serial().ifPresent(serial -> json.put("certificate", urls.certificate(serial)));
        order.fault().ifPresent(fault -> json.put("error", fault.json()));
        return json;
    }

    /// Section 7.1.4.
    static Map<String, Object> authorization(Authorization authorization, Urls urls, Instant now) {
        Map<String, Object> json = new TreeMap<>();
        json.put("status", authorization.stateAt(now).text());
        json.put("expires", authorization.expiresAt().toString());
        json.put("identifier", authorization.identifier().json());
        json.put(
                "challenges",
                authorization.challenges().stream()
                        .map(challenge -> challenge(challenge, urls))
                        .toList());
        return json;
    }

    /// Sections 7.1.5 and 8.
    static Map<String, Object> challenge(Challenge challenge, Urls urls) {
        Map<String, Object> json = new TreeMap<>();
        json.put("type", challenge.type().text());
        json.put("url", urls.challenge(challenge.id()));
        json.put("status", challenge.state().text());
        json.put("token", challenge.token());
        challenge.validatedAt().ifPresent(at -> json.put("validated", at.toString()));
        challenge.fault().ifPresent(fault -> json.put("error", fault.json()));
        return json;
    }
}
