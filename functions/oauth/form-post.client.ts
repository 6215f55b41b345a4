// Script of the page that posts an answer to the client. Its own form is the only one.
document.querySelector('form')?.submit()
