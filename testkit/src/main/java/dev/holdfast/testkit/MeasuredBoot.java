package dev.holdfast.testkit;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// A boot as firmware measures it: the events, the log in the crypto-agile format (TCG PC Client Platform
/// Firmware Profile, section 10.2), and the SHA-256 PCRs that follow.
public final class MeasuredBoot {
    /// EV_EFI_VARIABLE_DRIVER_CONFIG
    public static final int VARIABLE = 0x8000_0001;
    /// EV_EFI_BOOT_SERVICES_APPLICATION
    public static final int APPLICATION = 0x8000_0003;
    /// EV_SEPARATOR
    public static final int SEPARATOR = 4;
    /// EV_S_CRTM_VERSION
    public static final int VERSION = 8;

    private final List<Event> events = new ArrayList<>();

    /// @param digest SHA-256
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Event(int register, int type, byte[] digest, byte[] data) {}

    public MeasuredBoot event(int register, int type, byte[] digest, byte[] data) {
        events.add(new Event(register, type, digest.clone(), data.clone()));
        return this;
    }

    /// Measures the data itself.
    public MeasuredBoot event(int register, int type, byte[] data) {
        return event(register, type, SoftTpm.sha256(data), data);
    }

    public MeasuredBoot firmware(String version) {
        return event(0, VERSION, (version + "\0").getBytes(StandardCharsets.UTF_16LE));
    }

    public MeasuredBoot variable(String name, byte[] value) {
        byte[] characters = name.getBytes(StandardCharsets.UTF_16LE);
        return event(
                7,
                VARIABLE,
                ByteBuffer.allocate(32 + characters.length + value.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .put(new byte[16])
                        .putLong(name.length())
                        .putLong(value.length)
                        .put(characters)
                        .put(value)
                        .array());
    }

    /// @param image whose digest is measured; the data only names its file
    public MeasuredBoot application(String file, String image) {
        byte[] path = (file + "\0").getBytes(StandardCharsets.UTF_16LE);
        byte[] data = ByteBuffer.allocate(32 + 4 + path.length + 4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(0x1000)
                .putLong(image.length())
                .putLong(0)
                .putLong(8L + path.length)
                .put((byte) 4)
                .put((byte) 4)
                .putShort((short) (4 + path.length))
                .put(path)
                .put(new byte[] {0x7f, (byte) 0xff, 4, 0})
                .array();
        return event(4, APPLICATION, SoftTpm.sha256(image.getBytes(StandardCharsets.UTF_8)), data);
    }

    /// Ends the firmware's part of PCRs 0 to 7.
    public MeasuredBoot separators() {
        for (int register = 0; register < 8; register++) {
            event(register, SEPARATOR, new byte[4]);
        }
        return this;
    }

    public List<Event> events() {
        return List.copyOf(events);
    }

    /// PCRs 0 to 7, one after another.
    public byte[] registers() {
        byte[] all = new byte[8 * 32];
        for (Event event : events) {
            byte[] both = new byte[64];
            System.arraycopy(all, event.register() * 32, both, 0, 32);
            System.arraycopy(event.digest(), 0, both, 32, 32);
            System.arraycopy(SoftTpm.sha256(both), 0, all, event.register() * 32, 32);
        }
        return all;
    }

    /// As Linux shows it in `binary_bios_measurements`, with SHA-256 alone.
    public byte[] log() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteBuffer spec = ByteBuffer.allocate(16 + 4 + 4 + 4 + 4 + 1).order(ByteOrder.LITTLE_ENDIAN);
        spec.put("Spec ID Event03\0".getBytes(StandardCharsets.US_ASCII)).putInt(0);
        spec.put(new byte[] {0, 2, 0, 2}).putInt(1);
        spec.putShort((short) 11).putShort((short) 32).put((byte) 0);
        ByteBuffer header = ByteBuffer.allocate(32 + spec.capacity()).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(0).putInt(3).put(new byte[20]).putInt(spec.capacity()).put(spec.array());
        out.writeBytes(header.array());
        for (Event event : events) {
            ByteBuffer one =
                    ByteBuffer.allocate(12 + 2 + 32 + 4 + event.data().length).order(ByteOrder.LITTLE_ENDIAN);
            one.putInt(event.register()).putInt(event.type()).putInt(1).putShort((short) 11);
            one.put(event.digest()).putInt(event.data().length).put(event.data());
            out.writeBytes(one.array());
        }
        return out.toByteArray();
    }
}
