package dev.holdfast.protocol.cmp;

import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.junit.jupiter.api.Test;

/// Whatever bytes come, reading a message ends with a message or with its one exception: seeded changes of
/// messages that `openssl cmp` wrote, with lengths mended now and then so that they reach deeper. The seed is
/// in each failure's text; `-Dholdfast.long=true` goes on for a minute.
class HostileCmpTest {
    private static final List<String> VECTORS = List.of("ir", "kur", "rr", "genm", "p10cr", "ir-ra");
    private static final long ROUNDS = 4_000;

    @Test
    void everyMessageIsReadOrRefused() {
        long seed = new SecureRandom().nextLong();
        Random random = new Random(seed);
        boolean soak = Boolean.getBoolean("holdfast.long");
        long end = System.nanoTime() + 60_000_000_000L;
        for (long round = 0; soak ? System.nanoTime() < end : round < ROUNDS; round++) {
            byte[] bytes = changed(CmpMessageTest.vector(VECTORS.get(random.nextInt(VECTORS.size()))), random);
            try {
                read(bytes);
            } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
                throw new AssertionError(
                        "seed " + seed + ", round " + round + ": "
                                + Base64.getEncoder().encodeToString(bytes),
                        e);
            }
        }
    }

    /// All that the server does with a message before it knows who sent it, and the bodies after.
    private static void read(byte[] bytes) {
        CmpMessage message;
        try {
            message = CmpMessage.parse(bytes);
        } catch (CmpException refused) {
            return;
        }
        try {
            if (MessageProtection.of(message) instanceof MessageProtection.BySecret by) {
                by.verify(new byte[16]);
            }
        } catch (CmpException refused) {
            // the body is looked at all the same
        }
        try {
            switch (message.body()) {
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
        } catch (CmpException | CertificationRequestException refused) {
            // as it should be
        }
    }

    private static byte[] changed(byte[] good, Random random) {
        byte[] bytes = good.clone();
        switch (random.nextInt(6)) {
            case 0 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
            case 1 -> bytes = Arrays.copyOf(bytes, bytes.length + random.nextInt(20));
            case 2 -> bytes = cutOut(bytes, random);
            default -> {}
        }
        int changes = random.nextInt(4);
        for (int i = 0; i < changes && bytes.length > 0; i++) {
            int at = random.nextInt(bytes.length);
            bytes[at] = random.nextBoolean() ? (byte) random.nextInt() : (byte) (bytes[at] ^ (1 << random.nextInt(8)));
        }
        return bytes;
    }

    /// Takes one element away and mends the lengths of those around it.
    private static byte[] cutOut(byte[] der, Random random) {
        try {
            var sequence = org.bouncycastle.asn1.ASN1Sequence.getInstance(der);
            return new org.bouncycastle.asn1.DERSequence(thin(sequence, random)).getEncoded();
        } catch (java.io.IOException | RuntimeException e) {
            return der;
        }
    }

    private static org.bouncycastle.asn1.ASN1EncodableVector thin(
            org.bouncycastle.asn1.ASN1Sequence sequence, Random random) {
        var kept = new org.bouncycastle.asn1.ASN1EncodableVector();
        int victim = random.nextInt(Math.max(1, sequence.size()));
        for (int i = 0; i < sequence.size(); i++) {
            var element = sequence.getObjectAt(i).toASN1Primitive();
            if (i != victim) {
                kept.add(element);
            } else if (element instanceof org.bouncycastle.asn1.ASN1Sequence inner && random.nextInt(3) > 0) {
                kept.add(new org.bouncycastle.asn1.DERSequence(thin(inner, random)));
            } else if (element instanceof org.bouncycastle.asn1.ASN1TaggedObject tagged
                    && random.nextInt(3) > 0
                    && tagged.getBaseObject().toASN1Primitive() instanceof org.bouncycastle.asn1.ASN1Sequence inner) {
                kept.add(new org.bouncycastle.asn1.DERTaggedObject(
                        true, tagged.getTagNo(), new org.bouncycastle.asn1.DERSequence(thin(inner, random))));
            }
        }
        return kept;
    }
}
