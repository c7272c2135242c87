package dev.holdfast.protocol.tpm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.testkit.MeasuredBoot;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/// An event log in the crypto-agile format, made by hand from the profile's tables.
class EventLogTest {
    private static final byte[] KERNEL = TpmHash.SHA256.digest("kernel".getBytes(StandardCharsets.US_ASCII));
    private static final byte[] LOADER = TpmHash.SHA256.digest("loader".getBytes(StandardCharsets.US_ASCII));

    /// SHA-1 and SHA-256; started at locality 3; loader and kernel into PCR 0, the kernel again into PCR 4.
    static byte[] log() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteBuffer spec = ByteBuffer.allocate(16 + 4 + 4 + 4 + 8 + 1).order(ByteOrder.LITTLE_ENDIAN);
        spec.put("Spec ID Event03\0".getBytes(StandardCharsets.US_ASCII)).putInt(0);
        spec.put(new byte[] {0, 2, 0, 2}).putInt(2);
        spec.putShort((short) 4)
                .putShort((short) 20)
                .putShort((short) 11)
                .putShort((short) 32)
                .put((byte) 0);
        ByteBuffer header = ByteBuffer.allocate(32 + spec.capacity()).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(0).putInt(3).put(new byte[20]).putInt(spec.capacity()).put(spec.array());
        out.writeBytes(header.array());
        out.writeBytes(event(0, 3, new byte[32], "StartupLocality\0\3".getBytes(StandardCharsets.US_ASCII)));
        out.writeBytes(event(0, 1, LOADER, new byte[] {1}));
        out.writeBytes(event(0, 1, KERNEL, new byte[] {1, 2}));
        out.writeBytes(event(4, 1, KERNEL, new byte[0]));
        return out.toByteArray();
    }

    private static byte[] event(int register, int type, byte[] digest, byte[] data) {
        ByteBuffer event = ByteBuffer.allocate(12 + 22 + 34 + 4 + data.length).order(ByteOrder.LITTLE_ENDIAN);
        event.putInt(register).putInt(type).putInt(2);
        event.putShort((short) 4).put(new byte[20]).putShort((short) 11).put(digest);
        return event.putInt(data.length).put(data).array();
    }

    @Test
    void replayingTheLogGivesTheRegisters() throws Exception {
        EventLog log = EventLog.parse(log());
        assertThat(log.events()).hasSize(4);
        byte[] started = new byte[32];
        started[31] = 3;
        byte[] zero = TpmHash.SHA256.digest(TpmHash.SHA256.digest(started, LOADER), KERNEL);
        assertThat(log.replay(TpmHash.SHA256))
                .containsEntry(0, HexFormat.of().formatHex(zero))
                .containsEntry(4, HexFormat.of().formatHex(TpmHash.SHA256.digest(new byte[32], KERNEL)))
                .hasSize(2);
    }

    @Test
    void saysWhatEachEventMeasuredAndQuotesWhatWasNotMeasured() throws Exception {
        MeasuredBoot boot = new MeasuredBoot()
                .firmware("1.4.0")
                .variable("SecureBoot", new byte[] {1})
                .application("\\EFI\\BOOT\\BOOTX64.EFI", "image")
                .separators()
                .event(5, 0x8000_0007, "Exit \u0007\u001b[31m \"now\"".getBytes(StandardCharsets.US_ASCII))
                .event(1, 0x8000_0001, new byte[] {1, 2, 3})
                .event(1, 0x1234_5678, new byte[] {1});
        EventLog log = EventLog.parse(boot.log());
        assertThat(log.events().stream().map(e -> e.words(TpmHash.SHA256)).distinct())
                .containsExactly(
                        "EV_S_CRTM_VERSION 1.4.0",
                        "EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot",
                        "EV_EFI_BOOT_SERVICES_APPLICATION \"\\EFI\\BOOT\\BOOTX64.EFI\"",
                        "EV_SEPARATOR",
                        "EV_EFI_ACTION Exit ..[31m \"now\"",
                        "EV_EFI_VARIABLE_DRIVER_CONFIG",
                        "event 0x12345678");
        String zero = HexFormat.of().formatHex(boot.registers(), 0, 32);
        assertThat(log.replay(TpmHash.SHA256)).containsEntry(0, zero);
    }

    @Test
    void refusesASecondStartTwoDigestsOfOneKindAndWhatFollowsTheAnnouncement() {
        byte[] start = event(0, 3, new byte[32], "StartupLocality\0\3".getBytes(StandardCharsets.US_ASCII));
        byte[] log = log();
        byte[] twice = Arrays.copyOf(log, log.length + start.length);
        System.arraycopy(start, 0, twice, log.length, start.length);
        assertThatThrownBy(() -> EventLog.parse(twice)).hasMessageContaining("a second start");
        byte[] same = log.clone();
        int firstEvent = 32 + 37;
        same[firstEvent + 12] = 11; // SHA-1 is SHA-256 now, and 20 octets long no more
        assertThatThrownBy(() -> EventLog.parse(same)).isInstanceOf(TpmFormatException.class);
        byte[] announced = log.clone();
        announced[32 + 28] = 11; // both algorithms are SHA-256
        assertThatThrownBy(() -> EventLog.parse(announced)).isInstanceOf(TpmFormatException.class);
        byte[] digest = log.clone();
        digest[8] = 1;
        assertThatThrownBy(() -> EventLog.parse(digest)).hasMessageContaining("crypto-agile");
        byte[] vendor = log.clone();
        vendor[32 + 36] = 1;
        assertThatThrownBy(() -> EventLog.parse(vendor)).isInstanceOf(TpmFormatException.class);
        assertThatThrownBy(() -> EventLog.parse(new byte[EventLog.MOST_OCTETS + 1]))
                .hasMessageContaining("more than");
    }

    @Test
    void refusesALogThatIsCutOrOfAnotherFormatOrWithoutTheBank() throws Exception {
        byte[] log = log();
        assertThatThrownBy(() -> EventLog.parse(Arrays.copyOf(log, log.length - 1)))
                .isInstanceOf(TpmFormatException.class);
        byte[] old = log.clone();
        old[32] ^= 1;
        assertThatThrownBy(() -> EventLog.parse(old)).hasMessageContaining("crypto-agile");
        EventLog read = EventLog.parse(log);
        assertThatThrownBy(() -> read.replay(TpmHash.SHA384)).hasMessageContaining("sha384");
    }
}
