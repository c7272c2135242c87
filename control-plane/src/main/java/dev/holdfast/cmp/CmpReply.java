package dev.holdfast.cmp;

import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.cmp.PKIBody;

/// What is to be answered, before it is protected.
///
/// @param nonce our senderNonce, as the transaction has it
/// @param implicitlyConfirmed no certConf is awaited
/// @param confirmBefore until when it is
/// @param chain what the device needs above its certificate
record CmpReply(
        PKIBody body,
        String nonce,
        boolean implicitlyConfirmed,
        Optional<Instant> confirmBefore,
        List<X509Certificate> chain) {
    CmpReply {
        chain = List.copyOf(chain);
    }

    static CmpReply of(PKIBody body, String nonce) {
        return new CmpReply(body, nonce, false, Optional.empty(), List.of());
    }
}
