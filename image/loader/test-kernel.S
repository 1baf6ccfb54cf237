// A kernel for the loader's tests: prints what the boot information says on COM1, one hexadecimal word a
// line, then the first and last word of itself, and leaves QEMU by its debug exit port.
        .code32
        .globl  _start
_start: movl    $0x90000, %esp
        movl    %ebx, %esi
        movl    $16, %edi
1:      lodsl
        call    print
        decl    %edi
        jnz     1b
        movl    last, %eax
        call    print
        movw    %cs, %ax
        shll    $16, %eax
        movw    %ds, %ax
        call    print
        movb    $'.', %al
        call    put
        movb    $0, %al
        outb    %al, $0xf4
2:      hlt
        jmp     2b

print:  movl    %eax, %ebp
        movl    $8, %ecx
1:      roll    $4, %ebp
        movl    %ebp, %eax
        andl    $15, %eax
        movb    digits(%eax), %al
        call    put
        loop    1b
        movb    $'\n', %al
put:    movb    %al, %bl
        movw    $0x3fd, %dx
1:      inb     %dx, %al
        testb   $0x20, %al
        jz      1b
        movb    %bl, %al
        movw    $0x3f8, %dx
        outb    %al, %dx
        ret
digits: .ascii  "0123456789abcdef"
        // The test puts filling here, so that unpacking is worth the name; its last word is checked.
        .balign 4096
        .globl  last
        .set    last, 0x100000 + KERNEL_BYTES - 4
        .section .note.GNU-stack, "", @progbits
