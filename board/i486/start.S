// Entry from the loader, the stacks, the descriptor tables' loading, and the stubs of traps and interrupts.

.section .text.start, "ax"
.globl _start
_start:                         // from image/loader: 32-bit, flat, paging and interrupts off, EBX = boot info
  cli
  cld
  mov $image_end, %edi          // the loader brings what has contents; .bss is what the last run left in RAM
  mov $kernel_end, %ecx
  sub %edi, %ecx
  shr $2, %ecx
  xor %eax, %eax
  rep stosl
  mov $boot_stack_top, %esp
  push %ebx
  call floor_main
1: hlt
  jmp 1b

.text
// void descriptors_load(gdt_pointer, idt_pointer, tss_selector)
.globl descriptors_load
descriptors_load:
  mov 4(%esp), %eax
  lgdt (%eax)
  ljmp $0x08, $1f
1: mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %fs
  mov %eax, %gs
  mov %eax, %ss
  mov 8(%esp), %eax
  lidt (%eax)
  mov 12(%esp), %eax
  ltr %ax
  ret

// void paging_on(directory): write protection holds in ring 0 too (CR0.WP, new in the 486)
.globl paging_on
paging_on:
  mov 4(%esp), %eax
  mov %eax, %cr3
  mov %cr0, %eax
  or $0x80010000, %eax
  mov %eax, %cr0
  jmp 1f
1: ret

// void run_on_stack(top, function): never comes back. The restart of control begins here.
.globl run_on_stack
run_on_stack:
  mov 8(%esp), %eax
  mov 4(%esp), %esp
  call *%eax
  ud2

// The double fault's task. The processor pushes an error code on each entry; IRET, with the nested-task flag
// set, goes back to the task that faulted, and the next double fault comes in behind it.
.globl fault_task_entry
fault_task_entry:
  cld
  call double_fault
  add $4, %esp
  iret
  jmp fault_task_entry

// A vector that pushes no error code of its own gets a 0, so that every frame looks the same.
.macro STUB vector
stub_\vector:
  .if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17)
  push $0
  .endif
  push $\vector
  jmp common
.endm
.altmacro
.set i, 0
.rept 48
  STUB %i
  .set i, i + 1
.endr

common:
  pusha
  cld
  push %esp                     // struct frame *
  call trap
  add $4, %esp
  popa
  add $8, %esp
  iret

.section .rodata
.globl stubs
.macro ENTRY vector
  .long stub_\vector
.endm
stubs:
.set i, 0
.rept 48
  ENTRY %i
  .set i, i + 1
.endr

.bss
.align 16
  .skip 4096
boot_stack_top:
.globl fault_stack_top
  .skip 2048
fault_stack_top:

.section .note.GNU-stack, "", @progbits
