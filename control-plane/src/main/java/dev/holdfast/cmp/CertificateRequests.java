package dev.holdfast.cmp;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.identity.FailureLimits;
import dev.holdfast.identity.Identity;
import dev.holdfast.journal.Journal;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.cmp.Answers;
import dev.holdfast.protocol.cmp.CmpBody;
import dev.holdfast.protocol.cmp.CmpException;
import dev.holdfast.protocol.cmp.CmpFailure;
import dev.holdfast.protocol.cmp.CmpHeader;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import java.io.IOException;
import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.cmp.PKIBody;

/// ir, cr, kur, p10cr and pollReq: from a request to a certificate, a wait or a refusal.
final class CertificateRequests {
    private static final Duration SHORTEST_POLL = Duration.ofSeconds(2);

    private final Journal journal;
    private final Identity identity;
    private final Ca ca;
    private final CmpTransactions transactions;
    private final InstantSource clock;

    CertificateRequests(Journal journal, Identity identity, Ca ca, CmpTransactions transactions, InstantSource clock) {
        this.journal = journal;
        this.identity = identity;
        this.ca = ca;
        this.transactions = transactions;
        this.clock = clock;
    }

    /// A request for a certificate in either form.
    ///
    /// @param label the profile that the path names
    record Asked(
            CmpTransaction.Kind kind,
            BigInteger requestId,
            ASN1OctetString der,
            Optional<CmpBody.CertificateId> replaces,
            Optional<String> label) {
        static Asked of(CmpBody.CertificateRequest request, Optional<String> label) {
            try {
                return new Asked(
                        CmpTransaction.Kind.valueOf(request.kind().name()),
                        request.certReqId(),
                        new DEROctetString(request.request().getEncoded()),
                        request.replaces(),
                        label);
            } catch (IOException e) {
                throw new IllegalStateException("a parsed request has no encoding", e);
            }
        }

        /// RFC 9810 section 5.3.4: a PKCS #10 request has no id of its own, so the answer has -1.
        static Asked of(CmpBody.Pkcs10Request request, Optional<String> label) {
            return new Asked(
                    CmpTransaction.Kind.PKCS10, BigInteger.ONE.negate(), request.der(), Optional.empty(), label);
        }
    }

    /// 1. What this party may ask with this kind of message. 2. Proof of possession. 3. The transaction is
    /// opened, so that the message is good once. 4. The decision, which is identity's. 5. What came of it is
    /// noted.
    CmpReply ask(Party party, CmpHeader header, Asked asked, String nonce, String remoteAddress) throws CmpException {
        requireFitting(party, asked);
        Applicant applicant = applicant(party, profile(header, asked), remoteAddress);
        Instant now = clock.instant();
        CmpTransaction transaction = new CmpTransaction(
                header.transactionId(),
                party.name(),
                nonce,
                CmpTransaction.State.DECIDING,
                asked.kind(),
                asked.requestId().longValueExact(),
                Optional.of(asked.der()),
                applicant.profile(),
                header.implicitConfirm(),
                Optional.empty(),
                now,
                now.plus(CmpTransactions.CONFIRM_WITHIN));
        CertificationRequest request;
        try {
            request = StoredRequest.read(transaction).orElseThrow();
        } catch (CertificationRequestException e) {
            EnrolmentOutcome.Refused refused =
                    new EnrolmentOutcome.Refused(EnrolmentRefusal.of(e), String.valueOf(e.getMessage()));
            failed(applicant, refused);
            return answer(transaction, party, nonce, identity.enrolment().refused(applicant, refused));
        }
        Optional<Fault> fault =
                journal.commit(tx -> transactions.open(tx, transaction, header, party.repeatableUntil()));
        if (fault.isPresent()) {
            throw fault.get().exception();
        }
        return decide(transaction, party, request, applicant, nonce, false);
    }

    /// RFC 9483 section 4.4: the request that was put off is decided again, with what is known now.
    CmpReply poll(Party party, CmpHeader header, CmpBody.Poll poll, String nonce, String remoteAddress)
            throws CmpException {
        CmpTransaction transaction = switch (journal.commit(tx -> transactions.goOn(tx, party, header, nonce))) {
            case CmpTransactions.Found.Going going -> going.transaction();
            case CmpTransactions.Found.Not not -> throw not.fault().exception();
        };
        if (transaction.state() != CmpTransaction.State.HELD
                || poll.certReqId().longValueExact() != transaction.requestId()) {
            throw new CmpException(CmpFailure.BAD_REQUEST, "nothing of this certReqId is being waited for");
        }
        try {
            CertificationRequest request = StoredRequest.read(transaction).orElseThrow();
            return decide(
                    transaction, party, request, applicant(party, transaction.profile(), remoteAddress), nonce, true);
        } catch (CertificationRequestException e) {
            throw new IllegalStateException("the request of a CMP transaction can't be read any more", e);
        }
    }

    private CmpReply decide(
            CmpTransaction transaction,
            Party party,
            CertificationRequest request,
            Applicant applicant,
            String nonce,
            boolean again) {
        EnrolmentOutcome outcome = identity.enrolment().enrol(request, applicant);
        switch (outcome) {
            case EnrolmentOutcome.Issued issued -> {
                Serial serial = Serial.of(issued.certificate().getSerialNumber());
                journal.run(tx -> transactions.issued(tx, transaction, serial));
            }
            case EnrolmentOutcome.Held held -> {
                if (again) {
                    return CmpReply.of(
                            Answers.pollAgain(
                                    BigInteger.valueOf(transaction.requestId()),
                                    next(transaction, held.retryAfter()),
                                    held.reason()),
                            nonce);
                }
                journal.run(tx -> transactions.held(tx, transaction));
            }
            case EnrolmentOutcome.Refused refused -> {
                failed(applicant, refused);
                journal.run(tx -> transactions.settle(tx, transaction, CmpTransaction.State.ENDED));
            }
        }
        return answer(transaction, party, nonce, outcome);
    }

    /// A refusal slows its asker down, as at every other door.
    private void failed(Applicant applicant, EnrolmentOutcome.Refused refused) {
        identity.enrolment()
                .failures()
                .refused(
                        FailureLimits.caller(applicant.credential(), applicant.remoteAddress()),
                        refused.reason(),
                        clock.instant());
    }

    /// Soon at first, for a person may be at it this moment, then less and less often.
    private Duration next(CmpTransaction transaction, Duration atMost) {
        Duration waited =
                Duration.between(transaction.openedAt(), clock.instant()).dividedBy(2);
        Duration next = waited.compareTo(SHORTEST_POLL) < 0 ? SHORTEST_POLL : waited;
        return next.compareTo(atMost) > 0 ? atMost : next;
    }

    private CmpReply answer(CmpTransaction transaction, Party party, String nonce, EnrolmentOutcome outcome) {
        CmpBody.Kind kind = CmpBody.Kind.valueOf(transaction.kind().name());
        BigInteger id = BigInteger.valueOf(transaction.requestId());
        return switch (outcome) {
            case EnrolmentOutcome.Issued issued -> issued(transaction, party, nonce, issued);
            case EnrolmentOutcome.Held held -> CmpReply.of(Answers.waiting(kind, id, held.reason()), nonce);
            case EnrolmentOutcome.Refused refused ->
                CmpReply.of(Answers.rejected(kind, id, Refusals.failure(refused.reason()), refused.detail()), nonce);
        };
    }

    /// What the device needs to believe in its own certificate and in ours.
    private List<X509Certificate> anchors(Environment environment) {
        return Stream.concat(
                        ca.authorities().devices(environment).stream(),
                        Stream.of(ca.authorities().server()))
                .map(Authority::anchor)
                .distinct()
                .toList();
    }

    /// RFC 9483 section 4.1.5: where the shared secret vouches for the answer, the root comes with the first
    /// certificate, in caPubs.
    private CmpReply issued(CmpTransaction transaction, Party party, String nonce, EnrolmentOutcome.Issued issued) {
        boolean first = transaction.kind() == CmpTransaction.Kind.INITIALIZATION && party instanceof Party.BySecret;
        PKIBody body = Answers.issued(
                CmpBody.Kind.valueOf(transaction.kind().name()),
                BigInteger.valueOf(transaction.requestId()),
                issued.certificate(),
                first ? anchors(issued.device().environment()) : List.of());
        return new CmpReply(
                body,
                nonce,
                transaction.implicit(),
                transaction.implicit()
                        ? Optional.empty()
                        : Optional.of(clock.instant().plus(CmpTransactions.CONFIRM_WITHIN)),
                chain(issued.certificate()));
    }

    /// The authorities above a device's certificate, without the root.
    private List<X509Certificate> chain(X509Certificate leaf) {
        List<X509Certificate> chain = new ArrayList<>();
        for (Authority authority : ca.authorities().all()) {
            if (authority.certificate().getSubjectX500Principal().equals(leaf.getIssuerX500Principal())) {
                chain.add(authority.certificate());
                authority.above().stream()
                        .filter(c -> !c.getSubjectX500Principal().equals(c.getIssuerX500Principal()))
                        .forEach(chain::add);
            }
        }
        return chain;
    }

    /// RFC 9483 sections 4.1.1 to 4.1.3: ir is for who has no certificate of ours yet; kur replaces the one
    /// that protects it.
    private static void requireFitting(Party party, Asked asked) throws CmpException {
        if (asked.kind() == CmpTransaction.Kind.INITIALIZATION && party instanceof Party.ByDevice) {
            throw new CmpException(
                    CmpFailure.BAD_REQUEST, "ir is for the first certificate; replace the one you have by kur");
        }
        if (asked.kind() != CmpTransaction.Kind.KEY_UPDATE) {
            return;
        }
        if (!(party instanceof Party.ByDevice by)) {
            throw new CmpException(
                    CmpFailure.NOT_AUTHORIZED, "kur is signed with the certificate that it replaces, which is ours");
        }
        if (asked.replaces().isPresent() && !asked.replaces().get().equals(Answers.id(by.leaf()))) {
            throw new CmpException(
                    CmpFailure.BAD_CERT_ID, "oldCertID is not the certificate that protects the message");
        }
    }

    private static Optional<String> profile(CmpHeader header, Asked asked) throws CmpException {
        if (header.profile().isPresent()
                && asked.label().isPresent()
                && !header.profile().equals(asked.label())) {
            throw new CmpException(CmpFailure.BAD_REQUEST, "path and certProfile name different profiles");
        }
        return header.profile().or(asked::label);
    }

    private static Applicant applicant(Party party, Optional<String> profile, String remoteAddress) {
        return new Applicant(
                profile, party.credential(), false, CertificateProfile.Attestation.NONE, "CMP", remoteAddress);
    }
}
