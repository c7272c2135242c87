package dev.holdfast.cmp;

import dev.holdfast.protocol.cmp.CmpFailure;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.Optional;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIMessage;

/// A device that wants one certificate by CMP from a server that dies under it. What was not answered it asks
/// again in a new transaction with the same key (RFC 9483 section 4.1.1 knows no other way); a confirmation that
/// was not answered it sends again as it was.
public final class KilledTransaction {
    /// What it is about to do.
    public enum Step {
        REQUEST,
        CONFIRM
    }

    /// Told before each step.
    @FunctionalInterface
    public interface Watcher {
        void before(Step step);
    }

    private final CmpCaller.Door door;
    private final String reference;
    private final String secret;
    private final String device;
    private final KeyPair key = Crypto.generateP256(CmpCaller.RANDOM);
    private Optional<CmpCaller> caller = Optional.empty();
    private Optional<X509Certificate> certificate = Optional.empty();
    private Optional<byte[]> confirmation = Optional.empty();
    private Optional<byte[]> answered = Optional.empty();
    private boolean confirmed;

    /// @param reference of the shared secret
    public KilledTransaction(
            int port, X509Certificate root, X509Certificate servers, String reference, String secret, String device) {
        this.door = new CmpCaller.Door(port, root, servers);
        this.reference = reference;
        this.secret = secret;
        this.device = device;
    }

    /// Goes on from where it is to a certificate that is confirmed.
    ///
    /// @throws AssertionError when the server is gone, or answers what it must not
    public X509Certificate goOn(Watcher watcher) throws Exception {
        if (certificate.isEmpty()) {
            CmpCaller fresh = CmpCaller.withSecret(door, reference, secret, CmpCaller.pbmac1(2_000));
            byte[] request = fresh.message(CmpCaller.request(PKIBody.TYPE_INIT_REQ, device, key));
            watcher.before(Step.REQUEST);
            certificate = Optional.of(CmpCaller.issued(fresh.sendRaw(request)));
            answered = Optional.of(request);
            caller = Optional.of(fresh);
        }
        if (!confirmed) {
            if (confirmation.isEmpty()) {
                byte[] hash = MessageDigest.getInstance("SHA-256").digest(Certificates.der(certificate.get()));
                confirmation = Optional.of(caller.orElseThrow().message(CmpCaller.confirm(hash, true, "")));
            }
            watcher.before(Step.CONFIRM);
            PKIMessage answer = caller.orElseThrow().sendRaw(confirmation.get());
            // Once it was taken, and the answer lost, it is good no more: the state that it asked for is reached.
            if (answer.getBody().getType() != PKIBody.TYPE_CONFIRM) {
                CmpCaller.refused(answer, CmpFailure.BAD_RECIPIENT_NONCE, "good once");
            }
            confirmed = true;
        }
        return certificate.get();
    }

    /// The first message that was answered, once more: refused, whatever was meant by it.
    ///
    /// @return how it was refused; empty when none was answered yet
    public Optional<String> replay() {
        return answered.map(message -> CmpCaller.failureText(
                PKIMessage.getInstance(caller.orElseThrow().post(message).body())));
    }
}
