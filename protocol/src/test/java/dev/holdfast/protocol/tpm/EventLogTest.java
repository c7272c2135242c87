package dev.holdfast.protocol.tpm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
