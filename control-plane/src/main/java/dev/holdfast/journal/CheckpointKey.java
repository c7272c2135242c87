package dev.holdfast.journal;

import dev.holdfast.core.Digest;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;

/// The Ed25519 key that signs checkpoints; of its own, so that it can be rotated without touching any other.
public final class CheckpointKey {
    private final PrivateKey privateKey;
    private final PublicKey publicKey;

    private CheckpointKey(PrivateKey privateKey, PublicKey publicKey) {
        this.privateKey = privateKey;
        this.publicKey = publicKey;
    }

    public static CheckpointKey generate(SecureRandom random) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("Ed25519");
            generator.initialize(255, random);
            KeyPair pair = generator.generateKeyPair();
            return new CheckpointKey(pair.getPrivate(), pair.getPublic());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Ed25519 is missing from this Java platform", e);
        }
    }

    /// Reads what [#encoded] wrote.
    public static CheckpointKey decode(byte[] secret) {
        try {
            String[] lines = new String(secret, StandardCharsets.US_ASCII).split("\n", -1);
            KeyFactory factory = KeyFactory.getInstance("Ed25519");
            return new CheckpointKey(
                    factory.generatePrivate(
                            new PKCS8EncodedKeySpec(Base64.getDecoder().decode(lines[0]))),
                    factory.generatePublic(
                            new X509EncodedKeySpec(Base64.getDecoder().decode(lines[1]))));
        } catch (GeneralSecurityException | RuntimeException e) {
            throw new IllegalStateException("the checkpoint key can't be read", e);
        }
    }

    /// The secret to keep: the private key (PKCS #8) and the public key, each in base64 on a line.
    public byte[] encoded() {
        return (Base64.getEncoder().encodeToString(privateKey.getEncoded()) + "\n" + publicKeyText() + "\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /// The public key (SubjectPublicKeyInfo) in base64, for an auditor.
    public String publicKeyText() {
        return Base64.getEncoder().encodeToString(publicKey.getEncoded());
    }

    Checkpoint sign(String branch, long number, Digest chainHash, Instant at) {
        try {
            Signature signature = Signature.getInstance("Ed25519");
            signature.initSign(privateKey);
            signature.update(Checkpoint.signedBytes(branch, number, chainHash, at));
            return new Checkpoint(
                    branch, number, chainHash, at, Base64.getEncoder().encodeToString(signature.sign()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a checkpoint can't be signed", e);
        }
    }

    boolean verifies(Checkpoint checkpoint) {
        try {
            Signature signature = Signature.getInstance("Ed25519");
            signature.initVerify(publicKey);
            signature.update(checkpoint.signedBytes());
            return signature.verify(Base64.getDecoder().decode(checkpoint.signature()));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            return false;
        }
    }
}
