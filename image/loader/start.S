// The loader's start, at LOADER_AT in real mode, and its two ways between the processor's modes: into
// protected mode for good, and back into real mode for one BIOS call.
#include "layout.h"

#define CODE32 0x08
#define DATA32 0x10
#define CODE16 0x18
#define DATA16 0x20

        .section .start, "ax"
        .code16
        .globl  _start
_start: jmp     1f
        .globl  checksum
checksum:
        .word   0                       // image/loader-build.ts makes the sum right
1:      cli
        lgdt    gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmp    $CODE32, $2f

        .code32
2:      movw    $DATA32, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movl    $LOADER_STACK_AT, %esp
        cld
        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        rep stosb
        call    loader_main
3:      hlt
        jmp     3b

// void bios_call(void): far-calls the interrupt handler bios_vector in real mode with the registers from
// bios_registers, interrupts on, and brings registers and flags back. All below 64 KiB: segments are 0.
        .globl  bios_call
bios_call:
        pushal
        lidt    real_idt
        ljmp    $CODE16, $1f
        .code16
1:      movw    $DATA16, %ax            // limits of 64 KiB, as real mode expects them
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movl    %cr0, %eax
        andb    $0xfe, %al
        movl    %eax, %cr0
        ljmp    $0, $2f
2:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movw    bios_registers + 24, %ax
        movw    %ax, %es
        movl    bios_registers + 0, %eax
        movl    bios_registers + 4, %ebx
        movl    bios_registers + 8, %ecx
        movl    bios_registers + 12, %edx
        movl    bios_registers + 16, %esi
        movl    bios_registers + 20, %edi
        sti
        pushfw                          // what INT does: flags, then the far call
        cli
        lcall   *bios_vector
        pushfw
        cli
        cld
        movl    %eax, %cs:bios_registers + 0
        movl    %ebx, %cs:bios_registers + 4
        movl    %ecx, %cs:bios_registers + 8
        movl    %edx, %cs:bios_registers + 12
        popw    %cs:bios_registers + 26
        xorw    %ax, %ax
        movw    %ax, %ds
        lgdt    gdt_pointer             // INT 15h may have loaded its own
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmp    $CODE32, $3f
        .code32
3:      movw    $DATA32, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        popal
        ret

// void wait_for_tick(void): an "interrupt handler" of our own for bios_call: sleeps until an interrupt.
        .globl  wait_for_tick
        .code16
wait_for_tick:
        sti
        hlt
        iretw

        .code32
// void enter_kernel(u32 entry, u32 information)
        .globl  enter_kernel
enter_kernel:
        movl    4(%esp), %eax
        movl    8(%esp), %ebx
        jmp     *%eax

        .balign 8
gdt:    .quad   0
        .quad   0x00cf9a000000ffff      // CODE32: base 0, 4 GiB
        .quad   0x00cf92000000ffff      // DATA32
        .quad   0x00009a000000ffff      // CODE16: base 0, 64 KiB
        .quad   0x000092000000ffff      // DATA16
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt
real_idt:
        .word   0x3ff
        .long   0

        .section .note.GNU-stack, "", @progbits
