package dev.holdfast.protocol.fuzz;

import dev.holdfast.protocol.cmp.CmpBody;
import dev.holdfast.protocol.cmp.CmpException;
import dev.holdfast.protocol.cmp.CmpMessage;
import dev.holdfast.protocol.cmp.GeneralQuestion;
import dev.holdfast.protocol.cmp.MessageProtection;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import dev.holdfast.testkit.fuzz.FuzzTarget;
import java.util.List;
import java.util.stream.Stream;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;

/// CMP messages, from their first octet to what is done before anybody is known to have sent them: the code with
/// a shared secret (both password-based MACs, iterations capped) among it.
final class CmpTargets {
    private CmpTargets() {}

    static List<FuzzTarget> all() {
        List<byte[]> seeds = Stream.of("ir", "kur", "rr", "genm", "p10cr", "ir-ra")
                .map(name -> Seeds.base64("/cmp/openssl-" + name + ".b64"))
                .toList();
        return List.of(new FuzzTarget("cmp-message", 3_000, CmpTargets::message, seeds));
    }

    private static boolean message(byte[] input) {
        CmpMessage message;
        try {
            message = CmpMessage.parse(input);
        } catch (CmpException expected) {
            return false;
        }
        Seeds.requireDer(input);
        try {
            switch (MessageProtection.of(message)) {
                case MessageProtection.BySecret by -> by.verify(new byte[16]);
                case MessageProtection.BySignature _ -> {}
            }
        } catch (CmpException expected) {
            // the body is looked at all the same
        }
        try {
            body(message.body());
        } catch (CmpException | CertificationRequestException expected) {
            // a message all the same
        }
        return true;
    }

    private static void body(CmpBody body) throws CmpException, CertificationRequestException {
        switch (body) {
            case CmpBody.CertificateRequest request -> CertificationRequest.verify(request.request());
            case CmpBody.Pkcs10Request request ->
                CertificationRequest.verify(request.der().getOctets());
            case CmpBody.GeneralMessage general -> {
                for (InfoTypeAndValue question : general.questions()) {
                    GeneralQuestion.of(question);
                }
            }
            case CmpBody.RevocationRequest _, CmpBody.Confirmation _, CmpBody.Poll _, CmpBody.ClientError _ -> {}
        }
    }
}
