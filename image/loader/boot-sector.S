// The boot sector: the BIOS loads it to 0x7c00 and jumps to it in real mode, with the drive in DL. It reads
// the loader's sectors to LOADER_AT, checks their sum and jumps there. It prints only when that fails, on the screen and on
// COM1 at the loader's 115,200 baud, and begins again 5 s later: a card that was slow to wake is then there.
//
// INT 13h: EDD (AH=42h) where a hard disk offers it, otherwise by cylinder, head and sector, a track at a
// time, with the geometry that the BIOS itself gives (a floppy's is the 1.44 MB one). Each read is tried
// five times with a reset between.
#include "layout.h"

#define DRIVE (BOOT_INFO_AT + BOOT_AT_DRIVE)
// Until the loader knows better, the place of the counts holds the BIOS's tick counter at our start.
#define START_TICKS (BOOT_INFO_AT + BOOT_AT_COUNTS)
#define BIOS_TICKS 0x46c
#define COM1 0x3f8
// 5 s of 18.2 ticks.
#define WAIT_TICKS 91
// Stamp of the geometry variables, in the gap under the boot information.
#define TRACK_SECTORS (BOOT_INFO_AT - 16)
#define HEADS (BOOT_INFO_AT - 12)
#define COUNT (BOOT_INFO_AT - 8)

        .code16
        .globl  _start
_start: jmp     1f
        nop
        .ascii  "MASQBOX "
        // Room of a BIOS parameter block: some BIOSes write to it when they boot a card as a floppy.
        .org    0x5a
1:      cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ss
        movw    $LOADER_STACK_AT, %sp
        movw    %ax, %ds
        movw    %ax, %es
        ljmp    $0, $2f
2:      movb    $0x34, %al              // timer 0, mode 2: it then counts by one, the whole period of 65,536
        outb    %al, $0x43
        xorb    %al, %al
        outb    %al, $0x40
        outb    %al, $0x40
        sti
        nop
        movl    BIOS_TICKS, %eax
        movl    %eax, START_TICKS
        movzbl  %dl, %eax
        movl    %eax, DRIVE

start:  movb    DRIVE, %dl              // ES is 0
        movw    $FLOPPY_TRACK_SECTORS, TRACK_SECTORS
        movw    $FLOPPY_HEADS, HEADS
        testb   %dl, %dl
        jns     chs
        movb    $0x08, %ah
        int     $0x13
        jc      edd
        andw    $63, %cx
        jz      edd
        movw    %cx, TRACK_SECTORS
        movzbw  %dh, %ax
        incw    %ax
        movw    %ax, HEADS
edd:    xorw    %ax, %ax                // AH=08h changes ES
        movw    %ax, %es
        movb    $0x41, %ah
        movw    $0x55aa, %bx
        movb    DRIVE, %dl
        int     $0x13
        jc      chs
        cmpw    $0xaa55, %bx
        jne     chs
        testb   $1, %cl
        jz      chs
        movw    $packet, %si
        movb    $LOADER_SECTORS, 2(%si) // an error leaves there how many were read
        movb    $0x42, %ah
        movb    DRIVE, %dl
        int     $0x13
        jnc     check

chs:    movw    $LOADER_SECTOR, %si     // next sector
        movw    $LOADER_SECTORS, %di    // how many are left
        movw    $LOADER_AT, %bx
track:  movw    %si, %ax
        xorw    %dx, %dx
        divw    TRACK_SECTORS
        movw    TRACK_SECTORS, %cx
        subw    %dx, %cx                // sectors to the end of the track
        cmpw    %di, %cx
        jbe     1f
        movw    %di, %cx
1:      movw    %cx, COUNT
        movw    %dx, %cx
        incw    %cx
        xorw    %dx, %dx
        divw    HEADS
        movb    %al, %ch
        shlb    $6, %ah
        orb     %ah, %cl
        movb    %dl, %dh
        movb    DRIVE, %dl
        movb    $5, %al
again:  pushaw
        movb    COUNT, %al
        movb    $0x02, %ah
        int     $0x13
        popaw
        jnc     1f
        pushaw
        xorw    %ax, %ax
        int     $0x13
        popaw
        decb    %al
        jnz     again
        jmp     failed
1:      movw    COUNT, %ax
        addw    %ax, %si
        subw    %ax, %di
        shlw    $9, %ax
        addw    %ax, %bx
        testw   %di, %di
        jnz     track

check:  movw    $LOADER_AT, %si         // with this number the sum of all words is 0, but not of zeros alone
        movw    $(LOADER_SECTORS * SECTOR_BYTES / 2), %cx
        movw    $LOADER_SUM, %dx
1:      lodsw
        addw    %ax, %dx
        loop    1b
        testw   %dx, %dx
        jnz     failed
        jmp     LOADER_AT

failed: movw    $COM1 + 3, %dx          // line control: divisor latch
        movb    $0x80, %al
        outb    %al, %dx
        movb    $COM1 & 0xff, %dl
        movw    $1, %ax                 // 115,200
        outw    %ax, %dx                // both halves of the divisor
        movb    $(COM1 + 3) & 0xff, %dl
        movb    $3, %al                 // 8 bits, no parity, 1 stop bit
        outb    %al, %dx
        incw    %dx                     // modem control: DTR, RTS
        outb    %al, %dx
        movw    $message, %si
1:      lodsb
        testb   %al, %al
        jz      4f
        pushw   %ax
        movb    $0x0e, %ah
        xorw    %bx, %bx
        int     $0x10
        xorw    %cx, %cx                // 65,536 looks at the line's status, then no more is hoped for
        movw    $COM1 + 5, %dx
2:      inb     %dx, %al
        testb   $0x20, %al
        loopz   2b
        popw    %ax
        movb    $COM1 & 0xff, %dl
        outb    %al, %dx
        jmp     1b
4:      movw    $WAIT_TICKS, %cx        // other interrupts make it shorter, which does no harm
5:      hlt
        loop    5b
        jmp     start

message:
        .asciz  "Cannot load Masqbox\r\n"

packet: .byte   16, 0                   // EDD: disk address packet
        .word   LOADER_SECTORS
        .word   LOADER_AT, 0
        .quad   LOADER_SECTOR

        .org    BOOT_SECTOR_AT_MEDIUM
        .long   0                       // image/writer.ts puts the medium number here

        // One active partition from sector 63 to the end of the sixth cylinder of 16 heads and 63 sectors:
        // BIOSes that want an active partition, or guess a card's geometry from its end, are content.
        .org    446
        .byte   0x80, 1, 1, 0           // active; head, sector, cylinder of its start
        .byte   0xda, 15, 63, 5         // type "no file system"; head, sector, cylinder of its end
        .long   63, 6 * 16 * 63 - 63
        .org    510
        .word   0xaa55
