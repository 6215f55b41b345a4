// Sign-up of a company, at the paths of the API and of the UI.
import type * as z from 'zod'
import { completeSignUp, resendCode, startSignUp } from '#shared/domains/sign-up/company'
import type { ErrorCode } from '#shared/kernel/errors'
import { AppError } from '#shared/kernel/errors'
import { open } from '#shared/platform/http/access'
import { HttpResult, json, oneOfStatuses, withStatus } from '#shared/platform/http/route'
import {
  Bootstrap,
  Bootstrapped,
  CompanySignUpCompleted,
  CompanySignUpStarted,
  CompleteCompanySignUp,
  InitiateRegister,
  RegisterCompany,
  ResendOtp,
} from './company.schema.ts'
import { type Ctx, route } from './group.ts'

const SIGN_UP = open('A company that signs up has no account yet.', { class: 'credential', account: 'email' })
const CODE = open('The mailed code is the proof.', { class: 'code', account: 'email' })
const START_ERRORS: readonly ErrorCode[] = [
  'sign_up_closed',
  'single_tenant',
  'tenant_domain_invalid',
  'tenant_domain_taken',
  'password_too_short',
  'password_too_long',
  'password_guessable',
  'password_breached',
  'too_many_codes',
]
const COMPLETE_ERRORS: readonly ErrorCode[] = ['sign_up_closed', 'registration_expired', 'invalid_otp', 'tenant_domain_taken', 'single_tenant']
const CREATES = ['tenant.created', 'user.created', 'client.created'] as const
const CHECK_MAIL = 'Check your mailbox: we sent you a code.'

const start = async (ctx: Ctx, body: z.output<typeof InitiateRegister>) => {
  const started = await startSignUp(ctx, { email: body.email, password: body.password, name: body.name ?? '', tenantDomain: body.tenant_domain })
  const answer = { message: CHECK_MAIL, email: body.email, registration_ticket: started.ticket }
  return { again: started.again, body: answer, more: { cookies: started.cookies } }
}

const bootstrap = async (ctx: Ctx, body: z.output<typeof Bootstrap>) => {
  if (body.confirm_password !== undefined && body.confirm_password !== body.password) {
    throw new AppError('passwords_do_not_match', undefined, { field: 'body.confirm_password' })
  }
  const started = await startSignUp(ctx, { email: body.email, password: body.password, name: body.name ?? '', tenantDomain: body.tenant_domain })
  const answer = {
    message: CHECK_MAIL,
    status: 'pending_verification' as const,
    tenant_id: started.tenantId,
    tenant_domain: started.domain,
    user_id: '',
    registration_ticket: started.ticket,
  }
  return new HttpResult(answer, { cookies: started.cookies })
}

const complete = async (ctx: Ctx, { email, otp, registration_ticket }: z.output<typeof CompleteCompanySignUp>) => {
  const done = await completeSignUp(ctx, email, otp, registration_ticket)
  return {
    message: 'Your organisation is ready. Sign in to continue.',
    email: done.email,
    email_id: done.email,
    tenant_id: done.tenantId,
    user_id: done.userId,
    project_id: done.projectId,
    client_id: done.clientId,
    tenant_domain: done.domain,
  }
}

export const companyRoutes = [
  route({
    id: 'auth.admin.register',
    on: 'POST /authsec/uflow/auth/admin/register',
    summary: 'Start the sign-up of a company. A code is mailed to the address.',
    access: SIGN_UP,
    body: RegisterCompany,
    reply: oneOfStatuses({ 200: CompanySignUpStarted, 201: CompanySignUpStarted }),
    errors: START_ERRORS,
    emits: ['registration.started'],
    handle: async ({ ctx, body }) => {
      const started = await start(ctx, body)
      return new HttpResult(withStatus(started.again ? 200 : 201, started.body), started.more)
    },
  }),
  route({
    id: 'auth.admin.bootstrap',
    on: 'POST /authsec/uflow/auth/admin/login/bootstrap',
    summary: 'Start the sign-up of a company from the sign-in page.',
    access: SIGN_UP,
    body: Bootstrap,
    reply: json(201, Bootstrapped),
    errors: [...START_ERRORS, 'passwords_do_not_match'],
    emits: ['registration.started'],
    handle: ({ ctx, body }) => bootstrap(ctx, body),
  }),
  route({
    id: 'auth.admin.completeRegistration',
    on: 'POST /authsec/uflow/auth/admin/complete-registration',
    summary: 'Finish the sign-up with the mailed code and create the company.',
    access: CODE,
    body: CompleteCompanySignUp,
    reply: json(201, CompanySignUpCompleted),
    errors: COMPLETE_ERRORS,
    emits: CREATES,
    handle: ({ ctx, body }) => complete(ctx, body),
  }),
  route({
    id: 'register.initiate',
    on: 'POST /authsec/uflow/register/initiate',
    summary: 'Start the sign-up of a company, at the path of the UI.',
    access: SIGN_UP,
    body: InitiateRegister,
    reply: json(200, CompanySignUpStarted),
    errors: START_ERRORS,
    emits: ['registration.started'],
    handle: async ({ ctx, body }) => {
      const started = await start(ctx, body)
      return new HttpResult(started.body, started.more)
    },
  }),
  route({
    id: 'register.resendOtp',
    on: 'POST /authsec/uflow/register/resendOtp',
    summary: 'Mail a new code for a pending sign-up.',
    access: CODE,
    body: ResendOtp,
    reply: json(200, CompanySignUpStarted),
    errors: ['sign_up_closed', 'too_many_codes'],
    emits: ['registration.started'],
    handle: async ({ ctx, body }) => {
      await resendCode(ctx, body.email, body.registration_ticket)
      return { message: CHECK_MAIL, email: body.email }
    },
  }),
  route({
    id: 'register.verify',
    on: 'POST /authsec/uflow/register/verify',
    summary: 'Finish the sign-up of a company, at the path of the UI.',
    access: CODE,
    body: CompleteCompanySignUp,
    reply: json(200, CompanySignUpCompleted),
    errors: COMPLETE_ERRORS,
    emits: CREATES,
    handle: ({ ctx, body }) => complete(ctx, body),
  }),
]
