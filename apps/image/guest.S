/* guest.S: the bytes of a component, linked into an image; GUEST names the file. */
    .section .rodata
    .globl image_guest, image_guest_end
    .p2align 3
image_guest:
    .incbin GUEST
image_guest_end:

    .section .note.GNU-stack, "", %progbits
