package dev.holdfast.acme;

import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmePayload;
import dev.holdfast.protocol.acme.AcmeProblem;
import dev.holdfast.protocol.acme.SignedMessage;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;

/// What an account asks for, its signature verified and its nonce used (RFC 8555 sections 7.3.2 to 7.6).
record AccountRequests(
        Accounts accounts,
        Orders orders,
        Challenges challenges,
        Finalization finalization,
        Downloads downloads,
        InstantSource clock) {

    AcmeReply reply(
            Urls urls,
            CertificateProfile profile,
            Account account,
            String resource,
            SignedMessage message,
            String remote)
            throws AcmeException {
        String[] path = resource.split("/", -1);
        String id = path.length > 1 ? path[1] : "";
        return switch (path.length + " " + path[0] + (path.length == 3 ? " " + path[2] : "")) {
            case "2 account" -> account(urls, account, id, message);
            case "2 orders" -> orders(urls, account, id, message);
            case "1 new-order" -> {
                Order order = orders.create(account, profile, message.payload());
                yield order(urls, 201, new Finalization.Looked(order, java.time.Duration.ZERO))
                        .with("location", urls.order(order.id()));
            }
            case "2 order" -> {
                onlyAsks(message);
                yield look(urls, account, profile, orders.find(account, id));
            }
            case "3 order finalize" ->
                order(
                        urls,
                        200,
                        finalization.finish(account, profile, orders.find(account, id), message.payload(), remote));
            case "2 authorization" -> authorization(urls, account, id, message);
            case "2 challenge" -> challenge(urls, account, id, message);
            case "2 certificate" -> {
                onlyAsks(message);
                yield AcmeReply.chain(downloads.chain(account, id, false), urls.at("certificate/" + id + "/with-root"));
            }
            case "3 certificate with-root" -> {
                onlyAsks(message);
                yield AcmeReply.chain(downloads.chain(account, id, true), urls.at("certificate/" + id));
            }
            case "1 revoke-cert" -> {
                downloads.revoke(Optional.of(account), Optional.empty(), message.payload());
                yield AcmeReply.nothing(200);
            }
            case "1 key-change" -> keyChange(urls, account, message);
            case "1 new-account" ->
                throw new AcmeException(AcmeProblem.MALFORMED, "a new account's message names its key by 'jwk'");
            default -> throw new AcmeException(AcmeProblem.MALFORMED, "no such resource");
        };
    }

    private static void onlyAsks(SignedMessage message) throws AcmeException {
        if (!message.isPostAsGet()) {
            throw new AcmeException(AcmeProblem.MALFORMED, "the payload is empty here (POST-as-GET)");
        }
    }

    private AcmeReply account(Urls urls, Account account, String id, SignedMessage message) throws AcmeException {
        if (!id.equals(account.id())) {
            throw new AcmeException(AcmeProblem.UNAUTHORIZED, "that is another account");
        }
        if (!message.isPostAsGet()
                && AcmePayload.Update.parse(message.payload()).deactivate()) {
            accounts.deactivate(account);
            return AcmeReply.of(
                    200,
                    Shapes.account(
                            new Account(account.id(), account.device(), account.profile(), account.key(), false),
                            urls));
        }
        return AcmeReply.of(200, Shapes.account(account, urls));
    }

    private AcmeReply orders(Urls urls, Account account, String id, SignedMessage message) throws AcmeException {
        onlyAsks(message);
        if (!id.equals(account.id())) {
            throw new AcmeException(AcmeProblem.UNAUTHORIZED, "that is another account");
        }
        return AcmeReply.of(
                200,
                Map.of("orders", orders.of(account).stream().map(urls::order).toList()));
    }

    /// A refusal while an order is looked at stands in the order itself.
    private AcmeReply look(Urls urls, Account account, CertificateProfile profile, Order order) throws AcmeException {
        try {
            return order(urls, 200, finalization.look(account, profile, order));
        } catch (AcmeException refused) {
            return order(urls, 200, new Finalization.Looked(orders.find(account, order.id()), java.time.Duration.ZERO));
        }
    }

    private AcmeReply order(Urls urls, int status, Finalization.Looked looked) {
        Order order = looked.order();
        AcmeReply reply =
                AcmeReply.of(status, Shapes.order(order, orders.authorizations(order), urls, clock.instant()));
        return order.state() == Order.State.PROCESSING
                ? reply.with("retry-after", Long.toString(looked.retryAfter().toSeconds()))
                        .with("location", urls.order(order.id()))
                : reply.with("location", urls.order(order.id()));
    }

    private AcmeReply authorization(Urls urls, Account account, String id, SignedMessage message) throws AcmeException {
        Authorization authorization = orders.authorization(account, id);
        if (!message.isPostAsGet()
                && AcmePayload.Update.parse(message.payload()).deactivate()) {
            orders.deactivate(account, authorization);
        } else {
            challenges.resume(account, authorization);
        }
        return AcmeReply.of(200, Shapes.authorization(orders.authorization(account, id), urls, clock.instant()));
    }

    /// Section 7.5.1: an empty payload looks, any other answers.
    private AcmeReply challenge(Urls urls, Account account, String id, SignedMessage message) throws AcmeException {
        Authorization authorization = orders.ofChallenge(account, id);
        Challenge challenge = in(authorization, id);
        if (!message.isPostAsGet()) {
            challenges.answer(account, authorization, challenge, message.payload());
        }
        return AcmeReply.of(200, Shapes.challenge(in(orders.ofChallenge(account, id), id), urls))
                .linked("<" + urls.authorization(authorization.id()) + ">;rel=\"up\"");
    }

    private static Challenge in(Authorization authorization, String id) {
        return authorization.challenges().stream()
                .filter(challenge -> challenge.id().equals(id))
                .findFirst()
                .orElseThrow();
    }

    private AcmeReply keyChange(Urls urls, Account account, SignedMessage message) throws AcmeException {
        Optional<Account> taken = accounts.changeKey(account, message);
        if (taken.isPresent()) {
            return AcmeReply.problem(409, AcmeProblem.MALFORMED, "that key has an account already")
                    .with("location", urls.account(taken.get().id()));
        }
        return AcmeReply.of(200, Shapes.account(account, urls));
    }
}
