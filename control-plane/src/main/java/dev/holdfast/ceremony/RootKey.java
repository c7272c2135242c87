package dev.holdfast.ceremony;

import dev.holdfast.protocol.ceremony.KeyShare;
import dev.holdfast.protocol.ceremony.ShareFormatException;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPrivateKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A root's private key, in memory for the length of a command and in no file ever.
final class RootKey {
    private final PrivateKey key;
    private final PublicKey publicKey;

    private RootKey(PrivateKey key, PublicKey publicKey) {
        this.key = key;
        this.publicKey = publicKey;
    }

    /// A fresh key and its shares, each set of which was tried: what can't be restored is not handed out.
    record Made(RootKey key, List<KeyShare> shares) {}

    static Made make(KeyKind kind, int threshold, int count, boolean rehearsal, SecureRandom random)
            throws CeremonyException {
        KeyPair pair = Crypto.generate(kind, random);
        byte[] number = number((ECPrivateKey) pair.getPrivate(), kind == KeyKind.EC_P384 ? 48 : 32);
        try {
            List<KeyShare> shares =
                    KeyShare.split(name(pair.getPublic()), kind, rehearsal, threshold, count, number, random);
            RootKey made = new RootKey(pair.getPrivate(), pair.getPublic());
            List<KeyShare> printed = new ArrayList<>();
            for (KeyShare share : shares) {
                printed.add(KeyShare.parse(share.text()));
            }
            for (int from = 0; from + threshold <= count; from++) {
                restore(printed.subList(from, from + threshold), pair.getPublic());
            }
            return new Made(made, shares);
        } catch (ShareFormatException e) {
            throw new IllegalStateException("shares that were just made can't be read", e);
        } finally {
            Arrays.fill(number, (byte) 0);
        }
    }

    /// The key from its shares, proven against the root's certificate before it is used.
    static RootKey restore(List<KeyShare> shares, X509Certificate root) throws CeremonyException {
        try {
            if (!shares.isEmpty() && !shares.getFirst().root().equals(name(root.getPublicKey()))) {
                throw new CeremonyException("these are shares of root "
                        + shares.getFirst().root() + ", and the certificate is of root " + name(root.getPublicKey()));
            }
            return restore(shares, root.getPublicKey());
        } catch (ShareFormatException e) {
            throw new CeremonyException(String.valueOf(e.getMessage()), e);
        }
    }

    private static RootKey restore(List<KeyShare> shares, PublicKey expected)
            throws ShareFormatException, CeremonyException {
        byte[] number = KeyShare.combine(shares);
        try {
            AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
            curve.init(new ECGenParameterSpec(shares.getFirst().kind() == KeyKind.EC_P384 ? "secp384r1" : "secp256r1"));
            PrivateKey key = KeyFactory.getInstance("EC", Crypto.provider())
                    .generatePrivate(new ECPrivateKeySpec(
                            new BigInteger(1, number), curve.getParameterSpec(ECParameterSpec.class)));
            byte[] probe = {1, 2, 3};
            String scheme = Crypto.schemeFor(expected);
            if (!Crypto.verify(
                    Crypto.publicKey("EC", expected.getEncoded()), scheme, probe, Crypto.sign(key, scheme, probe))) {
                throw new CeremonyException("the shares give a key, but not this root's: was one of them exchanged?");
            }
            return new RootKey(key, expected);
        } catch (GeneralSecurityException | IllegalStateException e) {
            throw new CeremonyException("the shares give no usable key: was one of them exchanged?", e);
        } finally {
            Arrays.fill(number, (byte) 0);
        }
    }

    /// What shares call their root.
    static String name(PublicKey key) {
        return Certificates.keyFingerprint(key.getEncoded()).substring(0, 8);
    }

    private static byte[] number(ECPrivateKey key, int length) {
        byte[] signed = key.getS().toByteArray();
        byte[] number = new byte[length];
        int kept = Math.min(signed.length, length);
        System.arraycopy(signed, signed.length - kept, number, length - kept, kept);
        Arrays.fill(signed, (byte) 0);
        return number;
    }

    PublicKey publicKey() {
        return publicKey;
    }

    String scheme() {
        try {
            return Crypto.schemeFor(publicKey);
        } catch (InvalidKeyException e) {
            throw new IllegalStateException("a root with a key of a kind that is not used here", e);
        }
    }

    byte[] sign(byte[] message) {
        return Crypto.sign(key, scheme(), message);
    }

    /// Names the root, not the key.
    @Override
    public String toString() {
        return "RootKey[" + name(publicKey) + "]";
    }
}
