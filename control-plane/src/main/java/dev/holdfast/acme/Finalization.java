package dev.holdfast.acme;

import dev.holdfast.core.Serial;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.profiles.CertificateProfile.Attestation;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmePayload;
import dev.holdfast.protocol.acme.AcmeProblem;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// From a ready order to its certificate (RFC 8555 section 7.4).
///
/// 1. The request is stored with the order, which is `processing` from then on. 2. Enrolment decides, as for
/// every protocol. 3. The certificate is stored with the order, which is `valid`. A node that dies after 1 or 2
/// leaves an order whose next look, on whichever node, does 2 again: the same device and key get the same
/// certificate.
final class Finalization {
    private static final Duration AGAIN = Duration.ofSeconds(2);

    private final Journal journal;
    private final Identity identity;
    private final Orders orders;
    private final InstantSource clock;
    private final Set<String> running = ConcurrentHashMap.newKeySet();

    Finalization(Journal journal, Identity identity, Orders orders, InstantSource clock) {
        this.journal = journal;
        this.identity = identity;
        this.orders = orders;
        this.clock = clock;
    }

    /// @param retryAfter when it is worth looking again at an order that is still `processing`
    record Looked(Order order, Duration retryAfter) {}

    /// @throws AcmeException `orderNotReady`, `badCSR` (the order stays as it is), or why it was refused
    Looked finish(Account account, CertificateProfile profile, Order order, byte[] payload, String remoteAddress)
            throws AcmeException {
        if (order.stateAt(clock.instant()) != Order.State.READY) {
            throw new AcmeException(AcmeProblem.ORDER_NOT_READY, "the order is not ready");
        }
        byte[] request = AcmePayload.Finalize.parse(payload).request();
        CertificationRequest read;
        try {
            read = CertificationRequest.verify(request);
        } catch (CertificationRequestException e) {
            throw new AcmeException(AcmeProblem.BAD_CSR, String.valueOf(e.getMessage()));
        }
        OrderNames.check(
                read,
                order,
                account.device(),
                "URI:urn:holdfast:device:" + account.device().environment() + ":"
                        + account.device().id());
        if (Arrays.equals(
                read.publicKey().getEncoded(), account.key().publicKey().getEncoded())) {
            throw new AcmeException(AcmeProblem.BAD_CSR, "the account's key is not for certificates (section 11.1)");
        }
        evidence(order, read);
        boolean begun = journal.commit(tx -> {
            Optional<Order> now = AcmeStore.order(tx.sql(), order.id(), true);
            if (now.isEmpty() || now.get().state() != Order.State.READY) {
                return false;
            }
            AcmeStore.processing(tx.sql(), order.id(), request, remoteAddress);
            tx.record(new Entry(
                    "acme.order-finalized",
                    account.device().environment(),
                    Inventory.subject(account.device()),
                    Accounts.actor(account.device()),
                    "its ACME account asked for the certificate of its order",
                    Map.of("account", account.id(), "order", order.id())));
            return true;
        });
        if (!begun) {
            throw new AcmeException(AcmeProblem.ORDER_NOT_READY, "the order is not ready any more");
        }
        return look(account, profile, orders.find(account, order.id()));
    }

    /// The evidence of the order's authorizations; it must be about the key of the request.
    private Attestation evidence(Order order, CertificationRequest request) throws AcmeException {
        Attestation best = Attestation.NONE;
        String key = Certificates.keyFingerprint(request.publicKey().getEncoded());
        for (Authorization authorization : orders.authorizations(order)) {
            for (Challenge challenge : authorization.challenges()) {
                if (challenge.evidence().isPresent()) {
                    if (!challenge.evidence().get().keyFingerprint().equals(key)) {
                        throw new AcmeException(
                                AcmeProblem.BAD_CSR, "the attestation is about another key than the request's");
                    }
                    best = challenge.evidence().get().kind();
                }
            }
        }
        return best;
    }

    /// The order as it is; one that is `processing` is taken a step further, unless that is being done here
    /// just now.
    ///
    /// @throws AcmeException why it was refused, once; after that the order is invalid and says so itself
    Looked look(Account account, CertificateProfile profile, Order order) throws AcmeException {
        if (order.state() != Order.State.PROCESSING || !running.add(order.id())) {
            return new Looked(order, AGAIN);
        }
        try {
            CertificationRequest request =
                    CertificationRequest.verify(order.request().orElseThrow());
            Applicant applicant = new Applicant(
                    Optional.of(profile.name()),
                    new Credential.Account(account.device().id(), account.id()),
                    false,
                    evidence(order, request),
                    "ACME",
                    order.finalizedFrom());
            return switch (identity.enrolment().enrol(request, applicant)) {
                case EnrolmentOutcome.Issued issued -> {
                    issued(account, order, Serial.of(issued.certificate().getSerialNumber()));
                    yield new Looked(orders.find(account, order.id()), AGAIN);
                }
                case EnrolmentOutcome.Held held -> new Looked(order, held.retryAfter());
                case EnrolmentOutcome.Refused refused -> {
                    Fault fault = new Fault(
                            problem(refused.reason()), refused.reason().text() + ": " + refused.detail());
                    refused(account, order, fault);
                    throw new AcmeException(fault.problem(), fault.detail());
                }
            };
        } catch (CertificationRequestException e) {
            throw new IllegalStateException("a stored request can't be read", e);
        } finally {
            running.remove(order.id());
        }
    }

    private void issued(Account account, Order order, Serial serial) {
        journal.run(tx -> {
            if (isProcessing(AcmeStore.order(tx.sql(), order.id(), true))) {
                AcmeStore.issued(tx.sql(), order.id(), serial);
                tx.record(new Entry(
                        "acme.order-fulfilled",
                        account.device().environment(),
                        Inventory.subject(account.device()),
                        Accounts.actor(account.device()),
                        "the certificate was granted",
                        Map.of("account", account.id(), "order", order.id(), "serial", serial.hex())));
            }
        });
    }

    private void refused(Account account, Order order, Fault fault) {
        journal.run(tx -> {
            if (isProcessing(AcmeStore.order(tx.sql(), order.id(), true))) {
                AcmeStore.failed(tx.sql(), order.id(), fault);
                tx.record(new Entry(
                        "acme.order-refused",
                        account.device().environment(),
                        Inventory.subject(account.device()),
                        Accounts.actor(account.device()),
                        fault.detail(),
                        Map.of("account", account.id(), "order", order.id())));
            }
        });
    }

    private static boolean isProcessing(Optional<Order> order) {
        return order.isPresent() && order.get().state() == Order.State.PROCESSING;
    }

    private static AcmeProblem problem(EnrolmentRefusal reason) {
        return switch (reason.status()) {
            case BAD_REQUEST, CONFLICT -> AcmeProblem.BAD_CSR;
            case NOT_BOUND, NOT_AUTHENTICATED, NOT_ALLOWED, NO_SUCH_PROFILE -> AcmeProblem.UNAUTHORIZED;
            case NOT_NOW -> AcmeProblem.RATE_LIMITED;
        };
    }
}
