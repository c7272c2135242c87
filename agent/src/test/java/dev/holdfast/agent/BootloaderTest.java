package dev.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BootloaderTest {
    private final MemoryDeviceStore store = new MemoryDeviceStore();
    private final Bootloader bootloader = new Bootloader(store, Bench.HARDWARE, List.of(Bench.RELEASE_KEY.getPublic()));

    @BeforeEach
    void makeTheDevice() throws IOException {
        Agent.manufacture(store, "1.0.0", Bench.image("1.0.0", 1_000));
    }

    private void put(String version, byte[] manifest) {
        store.eraseSlot(Slot.B);
        store.appendToSlot(Slot.B, Bench.image(version, 1_000));
        store.write(Bootloader.manifestName(Slot.B), manifest);
    }

    @Test
    void runsTheImageItWasMadeWith() throws IOException {
        assertThat(bootloader.boot()).isEqualTo(new Bootloader.Booted(Slot.A, "1.0.0", 0, false));
    }

    @Test
    void refusesAnImageByAStranger() throws IOException {
        byte[] image = Bench.image("2.0.0", 1_000);
        put("2.0.0", Bench.manifest(Bench.HARDWARE, "2.0.0", 1, image, DeviceIdentity.freshKey(new SecureRandom())));
        assertThat(bootloader.arm("a").orElseThrow()).contains("NO_SIGNATURE_BY_A_TRUSTED_KEY");
        assertThat(bootloader.boot().version()).isEqualTo("1.0.0");
    }

    @Test
    void refusesAnImageForOtherHardware() throws IOException {
        byte[] image = Bench.image("2.0.0", 1_000);
        put("2.0.0", Bench.manifest(new Hardware("meter", "rev-z"), "2.0.0", 1, image, Bench.RELEASE_KEY));
        assertThat(bootloader.arm("a").orElseThrow()).contains("rev-z");
    }

    @Test
    void refusesAnImageThatWasChangedAfterSigning() throws IOException {
        put("2.0.0", Bench.manifest("2.0.0", 1, Bench.image("other", 1_000)));
        assertThat(bootloader.arm("a").orElseThrow()).contains("not the one the manifest names");
    }

    @Test
    void refusesALowerCounterThanItHasConfirmed() throws IOException {
        put("2.0.0", Bench.manifest("2.0.0", 7, Bench.image("2.0.0", 1_000)));
        assertThat(bootloader.arm("a")).isEmpty();
        bootloader.confirm(bootloader.boot());
        store.eraseSlot(Slot.A);
        store.appendToSlot(Slot.A, Bench.image("1.9.0", 1_000));
        store.write(Bootloader.manifestName(Slot.A), Bench.manifest("1.9.0", 6, Bench.image("1.9.0", 1_000)));
        assertThat(bootloader.arm("b").orElseThrow()).contains("counter 6 is below 7");
    }

    @Test
    void givesUpWhatIsNotConfirmedAfterThreeStarts() throws IOException {
        put("2.0.0", Bench.manifest("2.0.0", 1, Bench.image("2.0.0", 1_000)));
        assertThat(bootloader.arm("a")).isEmpty();
        for (int start = 0; start < Bootloader.TRIES; start++) {
            assertThat(bootloader.boot().version()).isEqualTo("2.0.0");
        }
        assertThat(bootloader.boot().version()).isEqualTo("1.0.0");
        assertThat(bootloader.attempt("a").orElseThrow().verdict()).isEqualTo(BootRecord.Verdict.GIVEN_UP);
        assertThat(bootloader.counterFloor()).isZero();
    }

    @Test
    void doesNotStartAnImageThatRotsInItsSlot() throws IOException {
        store.appendToSlot(Slot.A, new byte[] {1});
        assertThatThrownBy(bootloader::boot).isInstanceOf(Bootloader.UnbootableException.class);
    }

    @Test
    void revertsWhenTheImageOnTrialRots() throws IOException {
        put("2.0.0", Bench.manifest("2.0.0", 1, Bench.image("2.0.0", 1_000)));
        assertThat(bootloader.arm("a")).isEmpty();
        store.appendToSlot(Slot.B, new byte[] {1});
        assertThat(bootloader.boot().version()).isEqualTo("1.0.0");
    }
}
