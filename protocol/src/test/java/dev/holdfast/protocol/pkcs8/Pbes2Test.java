package dev.holdfast.protocol.pkcs8;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.protocol.x509.Crypto;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Random;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;
import org.bouncycastle.pkcs.jcajce.JcePKCSPBEInputDecryptorProviderBuilder;
import org.junit.jupiter.api.Test;

/// Secrets under a passphrase: opened by it alone, also by somebody else's code, and nothing malformed is
/// accepted.
class Pbes2Test {
    private static final Pbes2.Cost CHEAP = new Pbes2.Cost(1 << 14, 8, 1);

    private static Pbes2 with(String passphrase) {
        return new Pbes2(passphrase.getBytes(StandardCharsets.UTF_8), CHEAP, new SecureRandom());
    }

    @Test
    void whatIsSealedIsOpenedByTheSamePassphraseAndNoOther() throws Exception {
        byte[] secret = Crypto.generateP256(new SecureRandom()).getPrivate().getEncoded();
        byte[] sealed = with("correct horse").seal(secret);
        assertThat(with("correct horse").open(sealed)).isEqualTo(secret);
        assertThat(catchThrowableOfType(
                                SealedFormatException.class,
                                () -> with("wrong horse").open(sealed))
                        .reason())
                .isEqualTo(SealedFormatException.Reason.PASSPHRASE_WRONG);
    }

    @Test
    void anotherImplementationOpensIt() throws Exception {
        KeyPair pair = Crypto.generateP256(new SecureRandom());
        byte[] sealed = with("staple").seal(pair.getPrivate().getEncoded());
        var opened = new PKCS8EncryptedPrivateKeyInfo(sealed)
                .decryptPrivateKeyInfo(new JcePKCSPBEInputDecryptorProviderBuilder()
                        .setProvider(new BouncyCastleProvider())
                        .build("staple".toCharArray()));
        assertThat(opened.getEncoded()).isEqualTo(pair.getPrivate().getEncoded());
    }

    @Test
    void aHundredSecretsCostOneDerivation() throws Exception {
        Pbes2 writer = with("battery");
        byte[][] sealed = new byte[100][];
        for (int i = 0; i < sealed.length; i++) {
            sealed[i] = writer.seal(new byte[] {(byte) i});
        }
        Pbes2 reader = with("battery");
        long begun = System.nanoTime();
        for (int i = 0; i < sealed.length; i++) {
            assertThat(reader.open(sealed[i])).containsExactly(i);
        }
        reader.seal(new byte[1]);
        long all = System.nanoTime() - begun;
        begun = System.nanoTime();
        with("battery").open(sealed[0]);
        assertThat(all).isLessThan(20 * (System.nanoTime() - begun));
    }

    @Test
    void aChangedOctetIsNoticedWhereverItIs() {
        Pbes2 one = with("x");
        byte[] sealed = one.seal("attack at dawn".getBytes(StandardCharsets.US_ASCII));
        for (int i = 0; i < sealed.length; i++) {
            byte[] changed = sealed.clone();
            changed[i] ^= 1;
            assertThatThrownBy(() -> one.open(changed)).isInstanceOf(SealedFormatException.class);
        }
    }

    @Test
    void whatIsMalformedIsRefusedAndNothingElseIsThrown() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        Pbes2 one = with("x");
        byte[] sealed = one.seal(new byte[40]);
        for (int i = 0; i < 300; i++) {
            // The salt and the costs are left as they are, or every try would cost a derivation.
            byte[] bad = Arrays.copyOf(sealed, random.nextInt(sealed.length));
            assertThatThrownBy(() -> one.open(bad)).isInstanceOf(SealedFormatException.class);
            byte[] noise = new byte[random.nextInt(200)];
            random.nextBytes(noise);
            assertThatThrownBy(() -> one.open(noise)).isInstanceOf(SealedFormatException.class);
        }
        byte[] longer = Arrays.copyOf(sealed, sealed.length + 1);
        assertThatThrownBy(() -> one.open(longer)).isInstanceOf(SealedFormatException.class);
        assertThatThrownBy(() -> one.open(new byte[70_000])).isInstanceOf(SealedFormatException.class);
    }

    @Test
    void aCostThatWouldBeAnAttackOrGuessableIsRefused() {
        assertThatThrownBy(() -> new Pbes2.Cost(1 << 24, 8, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Pbes2.Cost(1 << 10, 8, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Pbes2.Cost((1 << 16) + 1, 8, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThat(with("secret words").toString()).doesNotContain("secret words");
    }
}
