package dev.holdfast.cmp;

import dev.holdfast.ca.Ca;
import dev.holdfast.core.Environment;
import dev.holdfast.identity.Identity;
import dev.holdfast.journal.Journal;
import dev.holdfast.protocol.cmp.AnswerEnvelope;
import dev.holdfast.protocol.cmp.Answers;
import dev.holdfast.protocol.cmp.CmpBody;
import dev.holdfast.protocol.cmp.CmpException;
import dev.holdfast.protocol.cmp.CmpFailure;
import dev.holdfast.protocol.cmp.CmpHeader;
import dev.holdfast.protocol.cmp.CmpMessage;
import dev.holdfast.protocol.cmp.MacAlgorithm;
import dev.holdfast.revocation.Revocation;
import dev.holdfast.tls.DeviceTls;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// From the bytes of a message to the bytes of its answer. Every answer is protected: like the question where
/// a shared secret protected that, else by our signature.
final class CmpResponder {
    private static final int NONCE = 16;
    private static final int SALT = 16;

    private final Parties parties;
    private final CertificateRequests requests;
    private final Confirmations confirmations;
    private final DeviceRevocations revocations;
    private final GeneralAnswers general;
    private final CmpTransactions transactions;
    private final MessageSigner signer;
    private final Journal journal;
    private final InstantSource clock;
    private final SecureRandom random;

    CmpResponder(
            Journal journal,
            Identity identity,
            Ca ca,
            Revocation revocation,
            DeviceTls tls,
            Environment environment,
            InstantSource clock,
            SecureRandom random)
            throws IOException {
        this.journal = journal;
        this.clock = clock;
        this.random = random;
        this.transactions = new CmpTransactions(ca, environment);
        this.parties = new Parties(identity, tls, clock);
        this.requests = new CertificateRequests(journal, identity, ca, transactions, clock);
        this.confirmations = new Confirmations(journal, ca, transactions);
        this.revocations = new DeviceRevocations(journal, ca, parties, transactions, clock);
        this.general = new GeneralAnswers(ca, revocation, environment);
        this.signer = new MessageSigner(ca, clock);
    }

    /// Where a message was sent to (RFC 9483 section 6.1).
    ///
    /// @param profile the name after `p`
    /// @param message the kind of message that the last part of the path is for, as [CmpBody#name] has it
    record Place(Optional<String> profile, Optional<String> message) {}

    /// @param readable false when what came was no message at all
    record Answer(boolean readable, Buffer der) {}

    /// 1. Is it a message. 2. Whose is it. 3. What of it.
    Answer answer(byte[] der, Place place, String remoteAddress) {
        CmpMessage message;
        try {
            message = CmpMessage.parse(der);
        } catch (CmpException e) {
            return new Answer(false, seal(Optional.empty(), error(e), signer.protection()));
        }
        Optional<CmpHeader> header = Optional.of(message.header());
        Party party;
        try {
            party = parties.of(message, remoteAddress);
        } catch (CmpException e) {
            return new Answer(true, seal(header, error(e), signer.protection()));
        }
        CmpReply reply;
        try {
            if (place.message().isPresent()
                    && !place.message().get().equals(message.body().name())
                    && message.body().opens()) {
                throw new CmpException(
                        CmpFailure.BAD_REQUEST,
                        "this path is for " + place.message().get());
            }
            reply = act(message, party, place, remoteAddress);
        } catch (CmpException e) {
            reply = error(e);
        }
        return new Answer(true, seal(header, reply, protection(party)));
    }

    private CmpReply act(CmpMessage message, Party party, Place place, String remoteAddress) throws CmpException {
        String nonce = HexFormat.of().formatHex(fresh(NONCE));
        CmpHeader header = message.header();
        return switch (message.body()) {
            case CmpBody.CertificateRequest body ->
                requests.ask(party, header, CertificateRequests.Asked.of(body, place.profile()), nonce, remoteAddress);
            case CmpBody.Pkcs10Request body ->
                requests.ask(party, header, CertificateRequests.Asked.of(body, place.profile()), nonce, remoteAddress);
            case CmpBody.Poll body -> requests.poll(party, header, body, nonce, remoteAddress);
            case CmpBody.Confirmation body -> confirmations.confirm(party, header, body, nonce);
            case CmpBody.ClientError body -> confirmations.giveUp(party, header, body, nonce);
            case CmpBody.RevocationRequest body -> revocations.revoke(party, header, body, nonce);
            case CmpBody.GeneralMessage body -> {
                parties.requireStanding(party);
                yield general.answer(body, place.profile().or(header::profile), nonce);
            }
        };
    }

    private CmpReply error(CmpException e) {
        return CmpReply.of(Answers.error(e.failure(), e.text()), HexFormat.of().formatHex(fresh(NONCE)));
    }

    private AnswerEnvelope.Protection protection(Party party) {
        return switch (party) {
            case Party.BySecret by -> {
                MacAlgorithm algorithm = by.algorithm().salted(fresh(SALT));
                byte[] secret = by.secret().text().getBytes(StandardCharsets.US_ASCII);
                yield new AnswerEnvelope.Protection.Secret(algorithm, bytes -> algorithm.code(secret, bytes));
            }
            case Party.ByManufacturer _, Party.ByDevice _ -> signer.protection();
        };
    }

    private Buffer seal(Optional<CmpHeader> request, CmpReply reply, AnswerEnvelope.Protection protection) {
        return Buffer.buffer(new AnswerEnvelope(
                        request,
                        signer.name(),
                        clock.instant(),
                        reply.nonce(),
                        reply.implicitlyConfirmed(),
                        reply.confirmBefore(),
                        reply.chain())
                .seal(reply.body(), protection));
    }

    private byte[] fresh(int octets) {
        byte[] fresh = new byte[octets];
        random.nextBytes(fresh);
        return fresh;
    }

    /// Ends transactions that are overdue; several nodes may do so at once.
    void sweep() {
        int swept;
        do {
            swept = journal.commit(transactions::sweep);
        } while (transactions.mayBeMore(swept));
    }

    /// The kinds of messages by the names that paths have for them.
    static Optional<String> message(String operation) {
        return Optional.ofNullable(
                switch (operation) {
                    case "initialization" -> "ir";
                    case "certification" -> "cr";
                    case "keyupdate" -> "kur";
                    case "pkcs10" -> "p10cr";
                    case "revocation" -> "rr";
                    case "getcacerts", "getrootupdate", "getcertreqtemplate", "getcrls" -> "genm";
                    default -> null;
                });
    }

    static List<String> operations() {
        return List.of(
                "initialization",
                "certification",
                "keyupdate",
                "pkcs10",
                "revocation",
                "getcacerts",
                "getrootupdate",
                "getcertreqtemplate",
                "getcrls");
    }
}
